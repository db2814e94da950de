//! The key that signs sessions, and the signed sessions in cookies. A session stays valid when serve
//! restarts with the same key, and in every replica with this key.

use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};
use secrecy::{ExposeSecret as _, SecretString};

use super::super::log::log;
use crate::text::bounded;
use crate::text::terminal::conceal;

/// Minimum length of the key in the file, in bytes: the length of an HMAC-SHA256.
const MIN_KEY: usize = 32;

/// Limit on the size of the key file, in bytes.
const MAX_FILE: u64 = 4096;

/// The first byte of a signed session. Another format needs another number.
const VERSION: u8 = 1;

const ID: usize = 16;
const DIGEST: usize = 16;
const CLAIMS: usize = 1 + ID + 8 + 8 + DIGEST;
const SIGNATURE: usize = 32;

/// Distinguish the two uses of the key.
const OF_SESSION: &[u8] = b"locustctl session\0";
const OF_TOKEN: &[u8] = b"locustctl token\0";

/// The random id of a session.
pub(super) type SessionId = [u8; ID];

/// A keyed digest of a token. It does not tell the token.
pub(super) type TokenDigest = [u8; DIGEST];

#[derive(Debug)]
pub(super) struct SessionKey(hmac::Key);

/// The contents of a signed session. Times are seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Claims {
    pub id: SessionId,
    /// The time of the login.
    pub began: u64,
    /// The time at which the session was last known to be in use.
    pub used: u64,
    /// The token of the login.
    pub token: TokenDigest,
}

impl SessionKey {
    /// Reads the key file. Without a file, the key is random, and the log says what follows from that.
    ///
    /// # Errors
    /// The file cannot be used, or the system provides no random numbers. No error shows a part of the
    /// key.
    pub(super) fn load(path: Option<&Path>) -> Result<Self> {
        let Some(path) = path else {
            log("a restart will sign everyone out, because there is no --session-key-file");
            return Self::random();
        };
        let name = || format!("reading --session-key-file={}", path.display());
        let file = match File::open(path) {
            // If the Secret has no such key, Kubernetes mounts it without this file.
            Err(error) if error.kind() == ErrorKind::NotFound => {
                log(&format!(
                    "a restart will sign everyone out, and other replicas do not accept these sessions, \
                     because --session-key-file={} does not exist; create the key with: openssl rand -hex 32",
                    path.display()
                ));
                return Self::random();
            }
            file => file.with_context(name)?,
        };
        let Some(content) = bounded::read_text(file, MAX_FILE).with_context(name)? else {
            bail!("{}: the file is larger than {MAX_FILE} bytes", name());
        };
        let key = SecretString::from(content.trim());
        if key.expose_secret().len() < MIN_KEY {
            bail!(
                "{}: the key is shorter than {MIN_KEY} bytes; create one with: openssl rand -hex 32",
                name()
            );
        }
        conceal(key.expose_secret());
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, key.expose_secret().as_bytes())))
    }

    /// A random key.
    ///
    /// # Errors
    /// The system provides no random numbers.
    pub(super) fn random() -> Result<Self> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new());
        Ok(Self(key.ok().context("the system provides no random numbers")?))
    }

    /// A new random id.
    ///
    /// # Errors
    /// The system provides no random numbers.
    pub(super) fn new_id() -> Result<SessionId> {
        let mut id = SessionId::default();
        let filled = SystemRandom::new().fill(&mut id);
        filled.ok().context("the system provides no random numbers")?;
        Ok(id)
    }

    pub(super) fn digest(&self, token: &str) -> TokenDigest {
        let tag = self.tag(OF_TOKEN, token.as_bytes());
        let mut digest = TokenDigest::default();
        digest.copy_from_slice(&tag.as_ref()[..DIGEST]);
        digest
    }

    /// The value of the cookie.
    pub(super) fn sign(&self, claims: &Claims) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&claims.id);
        bytes.extend_from_slice(&claims.began.to_be_bytes());
        bytes.extend_from_slice(&claims.used.to_be_bytes());
        bytes.extend_from_slice(&claims.token);
        let signature = self.tag(OF_SESSION, &bytes);
        bytes.extend_from_slice(signature.as_ref());
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads the value of a cookie; `None` unless it was signed with this key.
    pub(super) fn read(&self, cookie: &str) -> Option<Claims> {
        let mut bytes = [0; CLAIMS + SIGNATURE];
        let length = BASE64_URL_SAFE_NO_PAD.decode_slice(cookie, &mut bytes).ok()?;
        let (claims, signature) = bytes.get(..length)?.split_at_checked(CLAIMS)?;
        let signed = [OF_SESSION, claims].concat();
        hmac::verify(&self.0, &signed, signature).ok()?;
        let (version, rest) = claims.split_first()?;
        let (id, rest) = rest.split_first_chunk::<ID>()?;
        let (began, rest) = rest.split_first_chunk::<8>()?;
        let (used, rest) = rest.split_first_chunk::<8>()?;
        let token = *rest.first_chunk::<DIGEST>()?;
        let [began, used] = [began, used].map(|time| u64::from_be_bytes(*time));
        (*version == VERSION).then_some(Claims { id: *id, began, used, token })
    }

    fn tag(&self, purpose: &[u8], text: &[u8]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(purpose);
        context.update(text);
        context.sign()
    }
}

/// Reads a text as the value of a cookie, and signs and reads a session with these bytes; for `fuzz/`.
///
/// # Panics
/// A text that was not signed is accepted, or a signed session is read as another one.
pub fn try_session(content: &[u8]) {
    let key = SessionKey(hmac::Key::new(hmac::HMAC_SHA256, b"the key of this fuzz target only"));
    if let Ok(text) = std::str::from_utf8(content) {
        assert_eq!(key.read(text), None);
    }
    let mut bytes = [0; ID + 8 + 8 + DIGEST];
    bytes.iter_mut().zip(content).for_each(|(byte, given)| *byte = *given);
    let (id, rest) = bytes.split_at(ID);
    let (times, token) = rest.split_at(16);
    let time = |bytes: &[u8]| bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    let claims = Claims {
        id: id.try_into().unwrap_or_default(),
        began: time(&times[..8]),
        used: time(&times[8..]),
        token: token.try_into().unwrap_or_default(),
    };
    assert_eq!(key.read(&key.sign(&claims)), Some(claims));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims() -> Claims {
        Claims { id: [7; ID], began: 1_800_000_000, used: 1_800_000_600, token: [9; DIGEST] }
    }

    #[test]
    fn a_signed_session_is_read_back_only_with_its_key() {
        let key = SessionKey::random().unwrap();
        let cookie = key.sign(&claims());
        assert_eq!(key.read(&cookie), Some(claims()));
        assert_eq!(SessionKey::random().unwrap().read(&cookie), None);
        assert!(cookie.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
    }

    #[test]
    fn every_changed_or_cut_session_is_refused() {
        let key = SessionKey::random().unwrap();
        let cookie = key.sign(&claims());
        for at in 0..cookie.len() {
            let mut changed = cookie.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(key.read(std::str::from_utf8(&changed).unwrap()), None, "{at}");
            assert_eq!(key.read(&cookie[..at]), None, "{at}");
        }
        for other in ["", "=", "ä", &format!("{cookie}A"), &cookie.repeat(50)] {
            assert_eq!(key.read(other), None, "{other}");
        }
    }

    #[test]
    fn the_digest_depends_on_the_key_and_is_no_signature() {
        let (one, other) = (SessionKey::random().unwrap(), SessionKey::random().unwrap());
        assert_eq!(one.digest("a"), one.digest("a"));
        assert!(one.digest("a") != one.digest("b") && one.digest("a") != other.digest("a"));
    }

    #[test]
    fn a_key_file_must_have_a_long_key() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        let load = || SessionKey::load(Some(&path));
        let key = "0123456789abcdef0123456789abcdef";
        std::fs::write(&path, format!("{key}\n")).unwrap();
        let cookie = load().unwrap().sign(&claims());
        std::fs::write(&path, format!("  {key}")).unwrap();
        assert_eq!(load().unwrap().read(&cookie), Some(claims()), "spaces do not matter");
        for (content, expected) in [
            (
                &key[1..],
                ": the key is shorter than 32 bytes; create one with: openssl rand -hex 32",
            ),
            ("", ": the key is shorter than 32 bytes; create one with: openssl rand -hex 32"),
            (&*"x".repeat(4097), ": the file is larger than 4096 bytes"),
        ] {
            std::fs::write(&path, content).unwrap();
            let error = format!("{:#}", load().unwrap_err());
            assert!(error.ends_with(expected), "{error}");
            assert!(!error.contains("123456789"), "{error}");
        }
        assert!(load().is_err());
        std::fs::remove_file(&path).unwrap();
        assert_eq!(load().unwrap().read(&cookie), None, "a random key");
    }
}
