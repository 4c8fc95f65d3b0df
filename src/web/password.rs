//! Passwords: hashed with argon2id, never kept.

use anyhow::{Result, anyhow};
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use rand::{Rng, SeedableRng, rngs::SysRng};
use rand_chacha::ChaCha20Rng;
use tokio::sync::Semaphore;

/// Hashing takes 19 MB and a tenth of a second: so many at a time, however many knock.
static HASHING: Semaphore = Semaphore::const_new(2);

/// A hash to compare with when there is no such account, so that the answer takes as long.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c29tZSBzYWx0IGhlcmU$eU0hHaPXbCUCDbyxUWcAWUnZwkHwXBBjPkD0YVYLvBs";

/// The argon2id hash of a password, with a salt of its own.
///
/// # Errors
///
/// When the machine gives no chance for the salt.
pub fn hash_password(password: &str) -> Result<String> {
    Argon2::default()
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|wrong| anyhow!("the password could not be hashed: {wrong}"))
}

/// The same in its turn, while the pages go on.
pub(super) async fn hashed(password: String) -> Result<String> {
    let _turn = HASHING.acquire().await?;
    tokio::task::spawn_blocking(move || hash_password(&password)).await?
}

/// Whether a password belongs to a hash; never for an account that is not there, and after the same time.
pub(super) async fn is_right(password: String, hash: Option<String>) -> bool {
    let Ok(_turn) = HASHING.acquire().await else { return false };
    let checked = tokio::task::spawn_blocking(move || {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| NOBODY.to_owned());
        let right = argon2::PasswordHash::new(&hash)
            .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
        known && right
    });
    checked.await.unwrap_or(false)
}

/// 26 letters and digits that nobody has seen before: more than 128 bits of chance.
#[must_use]
pub fn new_password() -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    random_bytes::<26>().iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect()
}

/// Bytes nobody can guess.
pub(super) fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    ChaCha20Rng::try_from_rng(&mut SysRng).map_or_else(
        // A machine without chance can't keep secrets: it is better to stop.
        |_| std::process::abort(),
        |mut chance| chance.fill_bytes(&mut bytes),
    );
    bytes
}

/// A key that nobody can guess, for what this installation signs for itself.
#[must_use]
pub fn new_key() -> String {
    crate::import::hex(&random_bytes::<32>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_of_a_known_account_is_right() {
        let hash = hash_password("correct horse").unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(is_right("correct horse".into(), Some(hash.clone())).await);
        assert!(!is_right("correct hors".into(), Some(hash)).await);
        assert!(!is_right("correct horse".into(), None).await);
        assert!(argon2::PasswordHash::new(NOBODY).is_ok(), "the stand-in takes as long as a real one");
        assert_ne!(new_password(), new_password());
    }
}
