//! Stored hashes: a string is read in its one spelling, demands no more than it may, and matches what it was made of alone.

use std::sync::{Arc, LazyLock};

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use hmac::Mac as _;
use sakms_core::hash::{Argon2Params, HashError, HashLimits, HashPool, HashPoolConfig, Share};
use sakms_core::secret::StoredHash;
use sakms_core::testkit::entropy::SeededEntropy;

use crate::draw::Draw;
use crate::world;

const SECRET: &[u8] = b"violet tram kettle oak";
/// So little that a hash takes no time: KiB, passes, lanes.
const LIMITS: [u32; 3] = [64, 2, 2];

static POOL: LazyLock<HashPool> = LazyLock::new(|| {
    let config = HashPoolConfig::default()
        .params(Argon2Params::insecure_fast())
        .limits(HashLimits::new(LIMITS[0], LIMITS[1], LIMITS[2]))
        .key_threads(1)
        .password_threads(1);
    let entropy = Arc::new(SeededEntropy::new("fuzz"));
    HashPool::with_master_keys(config, &world::master_keys(), entropy).unwrap()
});

/// Runs the target.
pub fn run(data: &[u8]) {
    let mut draw = Draw::new(data);
    let share = *draw.pick(&[Share::Passwords, Share::Keys]);
    let text = match draw.below(4) {
        0 => draw.text().into_owned(),
        1 => {
            let text = keyed(draw.below(2), SECRET);
            draw.edit(&text)
        }
        2 => {
            let costs = [draw.byte(), draw.byte(), draw.byte()].map(u32::from);
            let (salt, length) = (draw.short().to_vec(), draw.below(70));
            let text = hashed(costs.map(|cost| cost % 70), &salt, length);
            draw.edit(&text)
        }
        _ => fields(&mut draw),
    };
    let stored = StoredHash::new(text.clone());
    let found = world::wait(POOL.verify(share, SECRET, &stored));
    let _ = POOL.needs_rehash(share, &stored);
    let expected = match (keyed_answer(&text), share) {
        (Some(answer), Share::Keys) => Ok(answer),
        _ => argon2_answer(&text).ok_or(HashError::Unreadable),
    };
    assert_eq!(found, expected, "{text}");
}

/// A string with these costs, whose hash is right where Argon2 takes them.
fn hashed(costs: [u32; 3], salt: &[u8], length: usize) -> String {
    let mut hash = vec![0; length];
    let computed = compute(costs, salt, &mut hash);
    let [memory, passes, lanes] = costs;
    let [salt, hash] = [salt, &hash].map(|bytes| STANDARD_NO_PAD.encode(bytes));
    let _ = computed;
    format!("$argon2id$v=19$m={memory},t={passes},p={lanes}${salt}${hash}")
}

/// The same with fields in other spellings, and costs past every bound.
fn fields(draw: &mut Draw<'_>) -> String {
    const NUMBERS: &[&str] = &[
        "0",
        "1",
        "2",
        "8",
        "16",
        "64",
        "65",
        "08",
        "+8",
        "-8",
        "",
        "8 ",
        "4294967295",
        "4294967296",
        "18446744073709551616",
        "1e1",
        "٨",
    ];
    const NAMES: &[&str] = &[
        "argon2id",
        "argon2i",
        "argon2d",
        "Argon2id",
        "hmac-sha256",
        "",
    ];
    const VERSIONS: &[&str] = &["v=19$", "v=16$", "v=019$", "", "v=19"];
    const TAILS: &[&str] = &["", ",", ",keyid=AAAA", ",data=AAAA", ",p=1"];
    const SALTS: &[&str] = &[
        "c2FsdHNhbHRzYWx0c2FsdA",
        "c2FsdA",
        "c2FsdHNhbHRzYWx0c2FsdB",
        "",
    ];
    let [memory, passes, lanes] = [0; 3].map(|_: u8| *draw.pick(NUMBERS));
    let (name, version, tail) = (*draw.pick(NAMES), *draw.pick(VERSIONS), *draw.pick(TAILS));
    let hash = STANDARD_NO_PAD.encode(draw.bytes::<32>());
    let salt = *draw.pick(SALTS);
    let text = format!("${name}${version}m={memory},t={passes},p={lanes}{tail}${salt}${hash}");
    draw.edit(&text)
}

fn compute([memory, passes, lanes]: [u32; 3], salt: &[u8], hash: &mut [u8]) -> Option<()> {
    let params = Params::new(memory, passes, lanes, None).ok()?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon2.hash_password_into(SECRET, salt, hash).ok()
}

/// What Argon2 says of a string in its one spelling and within the limits; `None` for every other.
fn argon2_answer(text: &str) -> Option<bool> {
    if text.len() > StoredHash::MAX_BYTES {
        return None;
    }
    let parts: Vec<_> = text.split('$').collect();
    let ["", "argon2id", "v=19", costs, salt, hash] = parts[..] else {
        return None;
    };
    let costs: Vec<_> = costs.split(',').collect();
    let [memory, passes, lanes] = costs[..] else {
        return None;
    };
    let number = |text: &str, name| {
        let digits = text.strip_prefix(name)?;
        let number: u32 = digits.parse().ok()?;
        (number.to_string() == digits).then_some(number)
    };
    let costs = [
        number(memory, "m=")?,
        number(passes, "t=")?,
        number(lanes, "p=")?,
    ];
    if costs.iter().zip(LIMITS).any(|(cost, limit)| *cost > limit) {
        return None;
    }
    let bytes = |text: &str| {
        let bytes = STANDARD_NO_PAD.decode(text).ok()?;
        (STANDARD_NO_PAD.encode(&bytes) == text).then_some(bytes)
    };
    let (salt, hash) = (bytes(salt)?, bytes(hash)?);
    if !(8..=64).contains(&salt.len()) || !(16..=64).contains(&hash.len()) {
        return None;
    }
    let mut computed = vec![0; hash.len()];
    compute(costs, &salt, &mut computed)?;
    Some(computed == hash)
}

/// `$hmac-sha256$k=<pepper id>$<tag>` under one of the master keys.
fn keyed(which: usize, secret: &[u8]) -> String {
    let [pepper, name] = [&b"sakms key pepper v1"[..], b"sakms key pepper id v1"];
    let tag = world::macs(pepper)[which]
        .clone()
        .chain_update(secret)
        .finalize()
        .into_bytes();
    let id: String = world::subkey(which, name)[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("$hmac-sha256$k={id}${}", STANDARD_NO_PAD.encode(tag))
}

/// `None` when it is no HMAC under one of the two peppers.
fn keyed_answer(text: &str) -> Option<bool> {
    static RIGHT: LazyLock<[String; 2]> =
        LazyLock::new(|| [0, 1].map(|which| keyed(which, SECRET)));
    let right = RIGHT.iter().find(|right| {
        let head = right.rsplit_once('$').map(|(head, _)| head);
        text.rsplit_once('$').map(|(head, _)| head) == head
    })?;
    let (_, tag) = text.rsplit_once('$')?;
    let bytes = STANDARD_NO_PAD
        .decode(tag)
        .ok()
        .filter(|bytes| bytes.len() == 32)?;
    (STANDARD_NO_PAD.encode(bytes) == tag).then_some(text == right)
}
