//! Finding a token and logging in to it.

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::{Slot, TokenInfo};
use cryptoki::types::AuthPin;

use super::errors::describe;
use crate::failure::{Failure, shown};
use crate::host;
use crate::passphrase::PassphraseSource;
use crate::signer::uri::TokenUri;

/// Opens a session with the token of a URI and logs in. The PIN is tried once.
pub(super) fn log_in(uri: &TokenUri, pin: &PassphraseSource) -> Result<Session, Failure> {
    let in_module = |error: Error| {
        let module = shown(&uri.module);
        Failure::environment(format!("the PKCS #11 library {module}: {}", describe(&error)))
            .hinted("check module-path in the URI, and that the library is installed")
    };
    let context = Pkcs11::new(&uri.module).map_err(in_module)?;
    match context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) | Ok(()) => {}
        Err(error) => return Err(in_module(error)),
    }
    let slot = find_slot(&context, uri).map_err(in_module)?;
    let slot = slot.ok_or_else(|| {
        Failure::environment(format!(
            "the PKCS #11 library {} has no token that matches the URI",
            shown(&uri.module)
        ))
        .hinted("list the tokens with: pkcs11-tool --module LIBRARY.so --list-token-slots")
    })?;
    let session = context.open_rw_session(slot).map_err(in_module)?;
    let what = match &uri.token {
        Some(token) => format!("the PIN of the token {token:?}"),
        None => "the PIN of the token".to_owned(),
    };
    let tries = || context.get_token_info(slot).map(|info| Tries::of(&info)).map_err(in_module);
    match (tries()?, pin) {
        (Tries::None, _) => return Err(locked(&what)),
        (Tries::One, PassphraseSource::Terminal) => {
            host::say(&format!(
                "warning: {what}: the token locks itself after one more wrong PIN\n"
            ));
        }
        (Tries::One, _) => {
            return Err(Failure::environment(format!(
                "{what}: the token locks itself after one more wrong PIN, so only a person may try"
            ))
            .hinted("enter the PIN with --ca-passphrase prompt; the right one resets the count"));
        }
        (Tries::Fewer | Tries::All, _) => {}
    }
    let pin = pin.read(&what)?;
    let pin = AuthPin::new(pin.as_str(&what)?.into());
    match session.login(UserType::User, Some(&pin)) {
        Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(session),
        Err(Error::Pkcs11(
            RvError::PinIncorrect | RvError::PinLenRange | RvError::PinInvalid,
            _,
        )) => match tries()? {
            Tries::None => Err(locked(&format!("{what} is wrong, and the token"))),
            tries => Err(Failure::environment(format!("{what} is wrong{}", tries.left())).hinted(
                "a token locks itself after several wrong PINs; check the PIN before you try again",
            )),
        },
        Err(Error::Pkcs11(RvError::PinLocked, _)) => Err(locked(&what)),
        Err(error) => Err(in_module(error)),
    }
}

/// How often the PIN can still be wrong. A token tells no number (PKCS #11 v2.40 section 3.2, `CKF_USER_PIN_…`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Tries {
    All,
    /// Somebody has given a wrong PIN since the last right one.
    Fewer,
    One,
    None,
}

impl Tries {
    fn of(info: &TokenInfo) -> Self {
        if info.user_pin_locked() {
            Self::None
        } else if info.user_pin_final_try() {
            Self::One
        } else if info.user_pin_count_low() {
            Self::Fewer
        } else {
            Self::All
        }
    }

    /// For the end of a message about a wrong PIN.
    const fn left(self) -> &'static str {
        match self {
            Self::All | Self::None => "",
            Self::Fewer => "; the token counts wrong PINs and allows more than one more",
            Self::One => "; the token allows only one more try",
        }
    }
}

fn locked(what: &str) -> Failure {
    Failure::environment(format!("{what} is locked"))
        .hinted("the security officer of the token can set a new PIN")
}

fn find_slot(context: &Pkcs11, uri: &TokenUri) -> Result<Option<Slot>, Error> {
    let fits =
        |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|wanted| wanted == found);
    for slot in context.get_slots_with_initialized_token()? {
        let info = context.get_token_info(slot)?;
        if fits(&uri.token, info.label())
            && fits(&uri.serial, info.serial_number())
            && fits(&uri.manufacturer, info.manufacturer_id())
            && fits(&uri.model, info.model())
        {
            return Ok(Some(slot));
        }
    }
    Ok(None)
}
