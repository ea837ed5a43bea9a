//! Questions on the terminal whose answers are secret.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};

use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};
use zeroize::Zeroizing;

use crate::failure::Failure;

/// The longest answer, in bytes. OpenSSL cuts a passphrase that is longer.
pub(crate) const LONGEST_SECRET: usize = 1024;

const INTERRUPT: u8 = 0x03;
const END_OF_INPUT: u8 = 0x04;
const BACKSPACES: [u8; 2] = [0x08, 0x7f];
const KILL_LINE: u8 = 0x15;
const SIGINT: u8 = 2;

/// Asks the person at the terminal and does not show the answer. `None` without a terminal.
pub(crate) fn hidden_answer(question: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
    if !io::stdin().is_terminal() && !io::stderr().is_terminal() {
        return Ok(None);
    }
    let failed = |error: io::Error| Failure::environment(format!("reading the terminal: {error}"));
    let Ok(terminal) = File::options().read(true).write(true).open("/dev/tty") else {
        return Ok(None);
    };
    let hidden = Hidden::begin(&terminal).map_err(failed)?;
    let answer = (&terminal).write_all(question.as_bytes()).and_then(|()| read_answer(&terminal));
    drop(hidden);
    (&terminal).write_all(b"\n").map_err(failed)?;
    answer.map_err(failed)?.map(Some).ok_or_else(|| Failure::interrupted(SIGINT))
}

/// Reads to the end of the line. `None` after Ctrl-C, which arrives as a byte: a signal would end the process before the
/// terminal shows again what is typed.
fn read_answer(mut terminal: &File) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    // It never grows, because that would leave a copy behind.
    let mut answer = Zeroizing::new(Vec::with_capacity(LONGEST_SECRET + 1));
    let mut byte = Zeroizing::new([0; 1]);
    while terminal.read(&mut *byte)? > 0 {
        match byte[0] {
            INTERRUPT => return Ok(None),
            b'\n' | b'\r' | END_OF_INPUT => break,
            KILL_LINE => answer.clear(),
            byte if BACKSPACES.contains(&byte) => {
                // A character of UTF-8 has several bytes.
                while answer.pop().is_some_and(|last| last & 0xc0 == 0x80) {}
            }
            byte if answer.len() <= LONGEST_SECRET => answer.push(byte),
            _ => {}
        }
    }
    Ok(Some(answer))
}

/// While this exists, the terminal does not show what is typed.
struct Hidden<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> Hidden<'a> {
    fn begin(terminal: &'a File) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut modes = before.clone();
        modes.local_modes -= LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
        modes.special_codes[SpecialCodeIndex::VMIN] = 1;
        modes.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(terminal, OptionalActions::Now, &modes)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.terminal, OptionalActions::Now, &self.before);
    }
}
