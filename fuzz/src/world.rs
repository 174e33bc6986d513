//! What several targets stand on: keys that are known to everybody, a clock that stands still, and somebody to wait.

use std::cell::RefCell;
use std::sync::Arc;

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _};
use sakms_core::clock::{ManualClock, Timestamp};
use sakms_core::key::{MasterKey, MasterKeys};
use sha2::Sha256;

/// Seconds since 1970; 2026-11-18.
pub(crate) const NOW: u64 = 1_795_000_000;
/// Random bytes that protect nothing: the master key in use, and the one before it.
pub(crate) const MASTER: [[u8; 32]; 2] = [
    *b"\x2b\xe1\x90\x4c\xf7\x15\xa8\x63\xd2\x0e\x7b\xc9\x34\x86\x5f\xa1\xe8\x1d\x72\xb4\x09\xcf\x5a\x93\x46\xfd\x38\x80\x6c\xb7\x21\xde",
    *b"\x91\x3f\xd6\x08\xa7\x5c\xe2\x7e\x14\xbb\x69\xf0\x25\xca\x83\x4d\x50\xf9\x1c\xae\x77\x02\xd8\x9b\x61\xec\x35\xb0\x4a\x8f\xc3\x16",
];

/// A ring of both.
pub(crate) fn master_keys() -> MasterKeys {
    let [current, retired] = MASTER.map(|bytes| MasterKey::from_bytes(bytes).unwrap());
    MasterKeys::new(current).retire(retired).unwrap()
}

/// A subkey of one of them (RFC 5869): derived here once more, for what is forged with the right key.
pub(crate) fn subkey(which: usize, label: &[u8]) -> [u8; 32] {
    let mut subkey = [0; 32];
    let master = Hkdf::<Sha256>::new(Some(b"sakms master key v1"), &MASTER[which]);
    master.expand(label, &mut subkey).unwrap();
    subkey
}

/// What MACs for a purpose are made with under each of them.
pub(crate) fn macs(label: &[u8]) -> [Hmac<Sha256>; 2] {
    [0, 1].map(|which| Hmac::new_from_slice(&subkey(which, label)).unwrap())
}

/// A clock that shows [`NOW`].
pub(crate) fn clock() -> Arc<ManualClock> {
    let micros = i64::try_from(NOW).unwrap() * 1_000_000;
    Arc::new(ManualClock::at(Timestamp::from_micros(micros).unwrap()))
}

thread_local! {
    static RUNTIME: RefCell<tokio::runtime::Runtime> = RefCell::new(
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap(),
    );
}

/// Waits for something on this thread.
pub(crate) fn wait<F: Future>(future: F) -> F::Output {
    RUNTIME.with_borrow(|runtime| runtime.block_on(future))
}
