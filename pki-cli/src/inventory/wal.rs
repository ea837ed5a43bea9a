//! The write-ahead log `inventory.db-wal`: its frames, and whether they belong to the database beside it.
//!
//! SQLite applies a log to whatever database lies beside it, and silently ignores a log, or the rest of one, that it cannot
//! read. Each checkpoint of etcdpki gives the database a new random mark (its `application_id`), which the first
//! page of the log repeats. The format is that of <https://www.sqlite.org/fileformat2.html#walformat>.

use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::schema::is_same_mark;
use crate::failure::shown;

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
/// Where the first page of a database has its `application_id`.
const MARK_AT: usize = 68;

/// A log as it is in its file.
pub(super) enum Wal {
    /// There is no file, or no header in it yet.
    Empty,
    /// The header is damaged.
    Garbage,
    /// The frames that belong to the header.
    Frames(Vec<Frame>),
}

/// One page in the log.
pub(super) struct Frame {
    /// The position in the file, from 0.
    index: usize,
    page: u32,
    /// For the last frame of a transaction, how many pages the database has after it; otherwise 0.
    size: u32,
    /// The mark of the database, on its first page.
    mark: Option<i32>,
}

/// What the file of the database says without its log.
pub(super) struct Main {
    mark: i32,
    pages: u32,
}

impl Main {
    /// Reads the header of a file. `None` if the file is not a database.
    pub(super) fn read(file: &File) -> io::Result<Option<Self>> {
        const MAGIC: &[u8] = b"SQLite format 3\0";
        let mut header = [0; 100];
        match file.read_exact_at(&mut header, 0) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
            read => read?,
        }
        let page_size = match u16::from_be_bytes([header[16], header[17]]) {
            1 => 65536,
            size => u64::from(size),
        };
        let pages = file.metadata()?.len().checked_div(page_size);
        let mark = word(&header, MARK_AT).cast_signed();
        Ok(pages
            .filter(|_| header.starts_with(MAGIC))
            .map(|pages| Self { mark, pages: u32::try_from(pages).unwrap_or(u32::MAX) }))
    }
}

/// Whether a database and a log belong together.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Verdict {
    Whole,
    /// They belong together, and a checkpoint was interrupted: without the log, the database is a mixture of two states.
    Unfinished,
    /// The log belongs to another database, or to another state of this one.
    Stray,
    /// What is wrong.
    Damaged(String),
}

impl Wal {
    pub(super) fn read(path: &Path) -> io::Result<Self> {
        let file = match File::open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::Empty),
            file => file?,
        };
        let mut file = BufReader::with_capacity(1 << 16, file);
        let mut header = [0; HEADER];
        if !fill(&mut file, &mut header)? || header == [0; HEADER] {
            return Ok(Self::Empty);
        }
        let page_size = usize::try_from(word(&header, 8)).unwrap_or(0);
        let is_size = page_size.is_power_of_two() && (512..=65536).contains(&page_size);
        if !is_size || checksum(&header) != Some((word(&header, 24), word(&header, 28))) {
            return Ok(Self::Garbage);
        }
        let mut frame = vec![0; FRAME_HEADER + page_size];
        let mut frames = Vec::new();
        for index in 0.. {
            if !fill(&mut file, &mut frame)? {
                break;
            }
            if frame[8..16] == header[16..24] {
                let page = word(&frame, 0);
                let mark = (page == 1).then(|| word(&frame[FRAME_HEADER..], MARK_AT).cast_signed());
                frames.push(Frame { index, page, size: word(&frame, 4), mark });
            }
        }
        Ok(Self::Frames(frames))
    }

    pub(super) const fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }

    /// Whether the log, of which SQLite reads this many frames, belongs to a database.
    pub(super) fn compare(&self, path: &Path, readable: usize, main: &Main) -> Verdict {
        let path = shown(path);
        let frames = match self {
            Self::Empty => return Verdict::Whole,
            Self::Garbage => return Verdict::Damaged(format!("the header of {path} is damaged")),
            Self::Frames(frames) => frames,
        };
        // A power failure can damage the transaction that was being written, which nobody was told is done.
        let lost = frames.iter().filter(|frame| frame.index >= readable && frame.size > 0).count();
        if lost > 1 {
            return Verdict::Damaged(format!("{lost} transactions in {path} cannot be read"));
        }
        let frames: Vec<&Frame> =
            frames.iter().take_while(|frame| frame.index < readable).collect();
        let mut marks: Vec<i32> = frames.iter().filter_map(|frame| frame.mark).collect();
        if !marks.is_empty() && !marks.iter().any(|mark| is_same_mark(*mark, main.mark)) {
            return Verdict::Stray;
        }
        let size = frames.last().map_or(0, |frame| frame.size);
        let is_in_log = |page| frames.iter().any(|frame| frame.page == page);
        if !(main.pages + 1..=size).all(is_in_log) {
            let pages = main.pages;
            return Verdict::Damaged(format!(
                "the file is truncated: it has {pages} of {size} pages"
            ));
        }
        marks.dedup_by(|one, other| is_same_mark(*one, *other));
        if marks.len() > 1 { Verdict::Unfinished } else { Verdict::Whole }
    }
}

/// Reads until the buffer is full. `false` at the end of the file.
fn fill(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match file.read_exact(buffer) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        read => read.map(|()| true),
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    bytes[at..].first_chunk().copied().map_or(0, u32::from_be_bytes)
}

/// The checksum of a header. `None` if the header does not begin like that of a log.
fn checksum(header: &[u8; HEADER]) -> Option<(u32, u32)> {
    let read: fn([u8; 4]) -> u32 = match word(header, 0) {
        0x377f_0682 => u32::from_le_bytes,
        0x377f_0683 => u32::from_be_bytes,
        _ => return None,
    };
    let (words, _) = header[..24].as_chunks();
    let mut words = words.iter().copied().map(read);
    let mut sums = (0_u32, 0_u32);
    while let (Some(first), Some(second)) = (words.next(), words.next()) {
        sums.0 = sums.0.wrapping_add(first).wrapping_add(sums.1);
        sums.1 = sums.1.wrapping_add(second).wrapping_add(sums.0);
    }
    Some(sums)
}
