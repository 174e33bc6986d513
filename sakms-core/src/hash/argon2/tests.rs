use proptest::prelude::*;

use super::*;

const ANY: HashLimits = HashLimits::new(262_144, 16, 16);

fn verify(secret: &str, stored: &str) -> Result<bool, HashError> {
    let stored = Stored::parse(&StoredHash::new(stored.to_owned()), ANY)?;
    stored.matches(secret.as_bytes(), &mut Arena::new(0, false))
}

/// RFC 9106, section 5.3. It has a secret key and associated data, which a stored string cannot say.
#[test]
fn the_library_computes_the_vector_of_the_rfc() {
    let params = ::argon2::ParamsBuilder::new()
        .m_cost(32)
        .t_cost(3)
        .p_cost(4)
        .data(::argon2::AssociatedData::new(&[4; 12]).unwrap())
        .build()
        .unwrap();
    let mut arena = Arena::new(0, false);
    let blocks = arena.blocks(params.block_count()).unwrap();
    let mut tag = [0; 32];
    Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, params)
        .unwrap()
        .hash_password_into_with_memory(&[1; 32], &[2; 16], &mut tag, blocks)
        .unwrap();
    let hex: String = tag.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        hex,
        "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"
    );
}

/// Made by the reference implementation in C: argon2-cffi 25.1.0 and passlib 1.7.4.
#[test]
fn hashes_of_other_programs_verify() {
    for (secret, stored) in [
        (
            "correct horse battery",
            "$argon2id$v=19$m=65536,t=3,p=4$wOtDGSomLE2YazlGpKBjIw$bAzoBc3X6htGn+0jH5wxjbtZJQ0TEHJkHqrSnSYwLck",
        ),
        (
            "violet tram kettle oak",
            "$argon2id$v=19$m=65536,t=3,p=4$PmesVeq9d04phTCG8D4n5A$CKMIFCZAOTvJgM5Ntr5+3Kcr0Bc4zSXLGDGyaIeD6sU",
        ),
        (
            "Pa\u{308}ssword-\u{fc}",
            "$argon2id$v=19$m=102400,t=2,p=8$sTbGWAuhdA5hbG3NeW8t5Q$3VCwISkATpPcZDp9X63zVmVlXVxTgESy41HRSUc9jFs",
        ),
        (
            "violet tram kettle oak",
            "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$XZn8lxsVU9TLnb6LgT2wz2tdgbXETv0VCwC5biwUc2A",
        ),
    ] {
        assert_eq!(verify(secret, stored), Ok(true), "{stored}");
        assert_eq!(verify(&format!("{secret} "), stored), Ok(false), "{stored}");
        assert_eq!(verify("", stored), Ok(false), "{stored}");
    }
}

#[test]
fn a_new_hash_is_what_the_reference_implementation_writes() {
    let mut hash = [0; HASH_BYTES];
    let salt = *b"saltsaltsaltsalt";
    let params = Argon2Params::default();
    compute(
        params,
        b"violet tram kettle oak",
        &salt,
        &mut hash,
        &mut Arena::new(0, false),
    )
    .unwrap();
    assert_eq!(
        Stored::new(params, &salt, &hash).write().as_str(),
        "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$XZn8lxsVU9TLnb6LgT2wz2tdgbXETv0VCwC5biwUc2A"
    );
}

#[test]
fn what_is_not_understood_is_never_an_answer() {
    let good = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$XZn8lxsVU9TLnb6LgT2wz2tdgbXETv0VCwC5biwUc2A";
    assert_eq!(verify("x", good), Ok(false));
    let bad = [
        // Other variants and versions, valid hashes of the same secret by the reference implementation.
        "$argon2i$v=19$m=65536,t=3,p=4$c2FsdHNhbHRzYWx0c2FsdA$pdvGVEcyRkccl8IelLOiPco2RPg1GUFN99Hz1q2FYUs",
        "$argon2d$v=19$m=65536,t=3,p=4$c2FsdHNhbHRzYWx0c2FsdA$ZsWIpMlxg2NUWJ69ANLM0xQOVVY0K1B/W5jw64lu1S0",
        "$argon2id$v=16$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$G/wxKmxYZ6ZrprrcldMNt7ISYJmcGgxs2aFONnnET/4",
        "$2b$12$KIXQJvVIvJ7zq8bYdQYpUe1B1fI2s1m6u1m8iJwz7d2N9r3lYh7vK",
        "violet tram kettle oak",
        "",
        "$",
        "$argon2id$v=19$m=",
    ]
    .map(str::to_owned);
    let changed = [
        ("m=8", "m=08"),
        ("m=8", "m=+8"),
        ("m=8", "m=-8"),
        ("m=8", "m=7"),
        ("m=8", "m=0"),
        ("m=8", "m=4294967296"),
        ("m=8", "m="),
        ("m=8,", ""),
        ("m=8,t=1", "t=1,m=8"),
        ("t=1", "t=0"),
        ("p=1", "p=0"),
        ("p=1", "p=2"),
        ("p=1", "p=1,keyid=azE"),
        ("p=1", "p=1,"),
        ("v=19$", ""),
        ("argon2id", "Argon2id"),
        ("$c2Fsd", "$$c2Fsd"),
        ("c2FsdHNhbHRzYWx0c2FsdA", "c2FsdA"),
        ("c2FsdHNhbHRzYWx0c2FsdA", "c2FsdHNhbHRzYWx0c2FsdB"),
        ("c2FsdHNhbHRzYWx0c2FsdA", "c2FsdHNhbHRzYWx0c2FsdA=="),
        ("XZn8lxsVU9TLnb6LgT2wz2tdgbXETv0VCwC5biwUc2A", ""),
        ("XZn8lxsVU9TLnb6LgT2wz2tdgbXETv0VCwC5biwUc2A", "XZn8lw"),
        ("biwUc2A", "biwUc2A$"),
        ("biwUc2A", "biwUc2A\n"),
        ("biwUc2A", "biw c2A"),
    ]
    .map(|(from, to)| good.replacen(from, to, 1));
    for stored in bad.into_iter().chain(changed) {
        assert_eq!(
            verify("violet tram kettle oak", &stored),
            Err(HashError::Unreadable),
            "{stored}"
        );
    }
}

#[test]
fn a_string_that_demands_too_much_is_refused_before_any_memory_is_taken() {
    let tail = "$c2FsdHNhbHRzYWx0c2FsdA$XZn8lxsVU9TLnb6LgT2wz2tdgbXETv0VCwC5biwUc2A";
    for costs in [
        "m=4294967295,t=1,p=1",
        "m=262145,t=1,p=1",
        "m=8,t=17,p=1",
        "m=8,t=4294967295,p=1",
        "m=4294967295,t=1,p=16777215",
        "m=4294967295,t=1,p=4294967295",
        "m=262144,t=1,p=17",
    ] {
        let stored = StoredHash::new(format!("$argon2id$v=19${costs}{tail}"));
        assert!(
            matches!(Stored::parse(&stored, ANY), Err(HashError::Unreadable)),
            "{costs}"
        );
    }
    // Without any limit of the host's, the library's own check of the parameters must hold.
    let boundless = HashLimits::new(u32::MAX, u32::MAX, u32::MAX);
    let absurd = StoredHash::new(format!("$argon2id$v=19$m=8,t=1,p=4294967295{tail}"));
    assert!(Stored::parse(&absurd, boundless).is_err());
}

#[test]
fn weak_parameters_are_refused() {
    for (memory_kib, iterations, lanes, answer) in [
        (19_456, 2, 1, Ok(())),
        (47_104, 1, 1, Ok(())),
        (12_288, 3, 16, Ok(())),
        (65_536, 3, 4, Ok(())),
        (47_103, 1, 1, Err(InvalidParams::Memory { least: 47_104 })),
        (19_455, 2, 1, Err(InvalidParams::Memory { least: 19_456 })),
        (12_287, 9, 1, Err(InvalidParams::Memory { least: 12_288 })),
        (19_456, 0, 1, Err(InvalidParams::Iterations)),
        (19_456, 2, 0, Err(InvalidParams::Lanes)),
        (19_456, 2, 17, Err(InvalidParams::Lanes)),
    ] {
        let made = Argon2Params::new(memory_kib, iterations, lanes);
        assert_eq!(made.map(drop), answer, "{memory_kib} {iterations} {lanes}");
    }
    assert_eq!(Argon2Params::new(19_456, 2, 1), Ok(Argon2Params::default()));
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics_and_never_says_yes(text in any::<String>()) {
        prop_assert_ne!(verify("violet tram kettle oak", &text), Ok(true));
    }

    #[test]
    fn text_of_nearly_the_right_shape_never_panics_and_never_says_yes(
        costs in "(m=[0-9]{1,3},t=[0-9],p=[0-9]|[mtp=,0-9]{0,30})",
        salt in "[A-Za-z0-9+/=$]{0,30}",
        hash in "[A-Za-z0-9+/=$]{0,90}",
    ) {
        let text = format!("$argon2id$v=19${costs}${salt}${hash}");
        prop_assert_ne!(verify("violet tram kettle oak", &text), Ok(true));
    }

    #[test]
    fn what_is_written_is_read_back(
        salt in proptest::collection::vec(any::<u8>(), 8..=64),
        hash in proptest::collection::vec(any::<u8>(), 16..=64),
    ) {
        let written = Stored::new(Argon2Params::default(), &salt, &hash).write();
        let read = Stored::parse(&written, ANY).unwrap();
        prop_assert_eq!((read.params, read.salt, read.hash), (Argon2Params::default(), salt, hash));
        prop_assert!(written.as_str().len() <= StoredHash::MAX_BYTES);
    }
}
