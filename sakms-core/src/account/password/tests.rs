use proptest::prelude::*;

use super::*;

fn check_as(policy: &PasswordPolicy, text: &str, email: &str) -> Result<(), WeakPassword> {
    let email = Email::parse(email).unwrap();
    policy.check(&Password::new(text.to_owned()), &email)
}

fn check(text: &str) -> Result<(), WeakPassword> {
    check_as(
        &PasswordPolicy::default(),
        text,
        "ada.lovelace@analytical.example",
    )
}

#[test]
fn decent_passwords_are_taken() {
    for text in [
        "violet tram kettle oak",
        "correct horse battery",
        "violet-tram-kettle-oak",
        "VioletTramKettleOak",
        "sunshine and rain in Wales",
        "my dog eats blue carpets",
        "purple dragon orange monkey summer",
        "fourteen ways to boil an egg",
        "kT3vQ9xZr7Lw2NfYb8Hc",
        "hG7#kq!2zP(vW9)x",
        "x7Kp2mQ9vR4tY8w",
        "ycrhnjwbtiudkqzma",
        "839201746582931",
        "ein Fuß im Türrahmen",
        "пятнадцать зелёных чашек",
        "正しい馬の電池と緑色の金魚を飼う",
        "🦀🐙🎺🪁🧵🌋🛶🪑🧄🚜🪜🧯🦚🛸🪗",
        " leading and trailing blanks ",
        "tab\tand\nnewline\0and nul",
        "ada bought seven brass gears",
        "password manager gave me qk7wzx",
        "dragon kettle oak tram",
    ] {
        assert_eq!(check(text), Ok(()), "{text:?}");
    }
}

#[test]
fn the_minimum_counts_code_points_and_the_maximum_bytes() {
    let short = Err(WeakPassword::TooShort { min: 15 });
    let long = Err(WeakPassword::TooLong { max: 1_024 });
    assert_eq!(check(""), short);
    assert_eq!(check("kT3vQ9xZr7Lw2N"), short);
    assert_eq!(check("kT3vQ9xZr7Lw2Nf"), Ok(()));
    assert_eq!(
        check("正しい馬の電池と緑色の金魚"),
        short,
        "39 bytes, 13 characters"
    );
    assert_eq!(check(&format!("{}é", "kT3vQ9xZr7Lw2")), short);
    assert_eq!(check(&format!("{}é", "kT3vQ9xZr7Lw2N")), Ok(()));
    // Random letters, so that nothing else is wrong with it.
    let random: String = (0..2_048_u32)
        .map(|i| char::from(b'a' + u8::try_from(i.wrapping_mul(2_654_435_761) >> 24).unwrap() % 26))
        .collect();
    assert_eq!(check(&random[..1_024]), Ok(()));
    assert_eq!(check(&random[..1_025]), long);
    assert_eq!(check(&"a".repeat(1 << 20)), long);
    assert_eq!(check(&"é".repeat(513)), long);
    assert_eq!(Password::MAX_BYTES, 1_024);
}

#[test]
fn a_host_chooses_the_minimum_between_8_and_128() {
    let policy = |chars| PasswordPolicy::default().with_min_chars(chars);
    assert_eq!(PasswordPolicy::default().min_chars(), 15);
    assert_eq!(policy(12).min_chars(), 12);
    let email = "ada@example.com";
    for (chars, text, answer) in [
        (8, "x7Kp2mQ9", Ok(())),
        (8, "ycrhnjwb", Ok(())),
        (8, "x7Kp2mQ", Err(WeakPassword::TooShort { min: 8 })),
        (0, "x7Kp2mQ", Err(WeakPassword::TooShort { min: 8 })),
        (8, "password", Err(WeakPassword::Common)),
        (8, "Passw0rd", Err(WeakPassword::Common)),
        (8, "iloveyou", Err(WeakPassword::Common)),
        (8, "qwertyui", Err(WeakPassword::Common)),
        (8, "12345678", Err(WeakPassword::Common)),
        (8, "monkey99", Err(WeakPassword::Predictable)),
        (8, "Summer26", Err(WeakPassword::Predictable)),
        (8, "P@$$w0rd!", Err(WeakPassword::Predictable)),
        (8, "aaaabbbb", Err(WeakPassword::Repetitive)),
        (8, "x7Kx7Kx7K", Err(WeakPassword::Repetitive)),
        (
            usize::MAX,
            "violet tram kettle oak",
            Err(WeakPassword::TooShort { min: 128 }),
        ),
    ] {
        assert_eq!(
            check_as(&policy(chars), text, email),
            answer,
            "{chars} {text}"
        );
    }
}

#[test]
fn the_common_ones_are_refused_in_any_case_and_spacing() {
    for text in [
        "passwordpassword",
        "PasswordPassword",
        "PASSWORD PASSWORD",
        "qwertyuiopasdfgh",
        "qwertyuiopasdfghjkl",
        "1q2w3e4r5t6y7u8i",
        "1qaz2wsx3edc4rfv",
        "1234567890123456",
        "0123456789abcdef",
        "correcthorsebatterystaple",
        "Correct Horse Battery Staple",
        "correct-horse-battery-staple!",
        "thisismypassword",
        "This is my password",
        "thequickbrownfoxjumpsoverthelazydog",
        "The quick brown fox jumps over the lazy dog.",
        "ｐａｓｓｗｏｒｄｐａｓｓｗｏｒｄ",
        "enteryourpassword",
        "iloveyouforever",
    ] {
        assert_eq!(check(text), Err(WeakPassword::Common), "{text}");
    }
}

#[test]
fn the_repetitive_ones_are_refused() {
    for text in [
        "aaaaaaaaaaaaaaaaa",
        "abababababababab",
        "aabbccaabbccaabbcc",
        "abcabcabcabcabcab",
        "x7Kp2x7Kp2x7Kp2",
        "x7Kp2mQ9x7Kp2mQ9",
        "X7KP2MQ9x7kp2mq9",
        "112112211212112",
        "               ",
        "🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀",
        &"violet".repeat(170),
        // A ligature that folds to 18 characters.
        &"\u{FDFA}".repeat(341),
        &"a".repeat(1_024),
    ] {
        assert_eq!(check(text), Err(WeakPassword::Repetitive), "{text}");
    }
    // Said twice it is no worse than said once.
    assert_eq!(check(&"violet tram kettle oak ".repeat(2)), Ok(()));
}

#[test]
fn the_predictable_ones_are_refused() {
    for text in [
        "password12345678",
        "Password20260101",
        "password!!!!!!!!",
        "P@ssw0rd12345678",
        "p4$$w0rd-p455word",
        "qwertyuiop[]asdf",
        "zxcvbnm,./asdfghjkl",
        "7ujm8ik,9ol.0p;/",
        "abcdefghijklmnopq",
        "zyxwvutsrqponmlk",
        "9876543210987654",
        "Summer2026Winter2026",
        "welcome-to-london-2026",
        "iloveyou-michelle",
        "dragon monkey 1999",
        "adminadminadmin1!",
        "letmein letmein!!",
        "12345678qwertyui",
        "111122223333444455",
        "!@#$%^&*()123456",
        "secretpassword1!",
        "superman-batman-1",
        "qwertzuiopü+asdf",
        "passwordpasswordpasswordpassworx",
    ] {
        let refused = check(text).unwrap_err();
        let fitting = matches!(refused, WeakPassword::Predictable | WeakPassword::Common);
        assert!(fitting, "{text}: {refused:?}");
    }
}

#[test]
fn the_names_of_the_person_and_the_service_are_refused() {
    for text in [
        "ada.lovelace@analytical.example",
        "Ada.Lovelace@Analytical.Example",
        "adalovelaceadalovelace1",
        "ada lovelace ada",
        "adalovelace12345",
        "Ada_Lovelace_1815!",
        "l0velace-l0velace!",
        "analytical-lovelace",
        "sakms-sakms-2026",
        "SAKMS password 123",
        "mysakmspassword1",
        "sakms.analytical",
    ] {
        assert_eq!(check(text), Err(WeakPassword::LikeEmail), "{text}");
    }
    let acme = PasswordPolicy::default()
        .with_name("Acme Cloud")
        .with_name("x");
    let email = "bo@a.example";
    assert_eq!(
        check_as(&acme, "acme cloud 2026!", email),
        Err(WeakPassword::LikeEmail)
    );
    assert_eq!(
        check_as(&PasswordPolicy::default(), "acme cloud 2026!", email),
        Ok(())
    );
    // Two letters are in everything, and no name.
    let names = acme.names_around(&Email::parse(email).unwrap());
    assert!(names.iter().all(|name| name.len() >= 3));
    assert_eq!(check_as(&acme, "bongo boat robot", email), Ok(()));
}

#[test]
fn nothing_is_trimmed_before_it_is_counted() {
    assert_eq!(check("  kT3vQ9xZr7Lw2 "), Ok(()));
    assert_eq!(
        check("kT3vQ9xZr7Lw2"),
        Err(WeakPassword::TooShort { min: 15 })
    );
}

#[test]
fn every_reason_says_what_to_do_and_nothing_of_the_password() {
    for text in [
        "kT3v",
        "passwordpassword",
        "x7Kp2x7Kp2x7Kp2",
        "password12345678",
        "ada lovelace ada",
    ] {
        let said = check(text).unwrap_err().to_string();
        assert!(said.contains(": ") && said.ends_with('.'), "{said}");
        assert!(!said.contains(text), "{said}");
    }
    assert!(check("kT3v").unwrap_err().to_string().contains("15"));
    assert!(
        check(&"a".repeat(2_000))
            .unwrap_err()
            .to_string()
            .contains("1024")
    );
}

#[test]
fn the_longest_and_worst_are_judged_too() {
    // Texts that fold to much more, or in which many pieces begin everywhere.
    for text in [
        format!("{}{}", "\u{FDFA}".repeat(300), "xyz\u{FDFB}kq"),
        format!("{}kq", "passwordx".repeat(110)),
        "password1".repeat(113),
        "qwertyuiop1234".repeat(73),
        "abcd".repeat(256),
    ] {
        assert!(text.len() <= Password::MAX_BYTES);
        let _ = check(&text);
    }
}

proptest! {
    #[test]
    fn random_passwords_are_taken(text in "[!-~]{20,64}") {
        prop_assert_eq!(check(&text), Ok(()));
    }

    #[test]
    fn random_letters_are_taken(text in "[a-z]{20,64}") {
        prop_assert_eq!(check(&text), Ok(()));
    }

    #[test]
    fn arbitrary_text_never_panics(text in any::<String>()) {
        let _ = check(&text);
    }

    #[test]
    fn a_common_password_with_little_behind_it_is_refused(
        word in prop::sample::select(vec!["password", "iloveyou", "sunshine", "football", "welcome1", "trustno1"]),
        tail in "[0-9]{8,9}",
    ) {
        let text = format!("{word}{tail}");
        prop_assert!(check(&text).is_err());
    }
}
