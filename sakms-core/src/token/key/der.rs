//! As much of DER as it takes to say what kind of key a file holds.
//!
//! Whether the key is any good is for aws-lc to say. What is read here is which algorithm it is of, and where in the
//! structure (RFC 5208, RFC 5280 section 4.1.2.7, RFC 8017 appendix A.1) the part stands that the library wants.

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const NULL: u8 = 0x05;
const OBJECT_ID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;

/// 1.2.840.113549.1.1.1 (RFC 8017, appendix A.1).
const RSA_ENCRYPTION: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";
/// 1.2.840.10045.2.1 (RFC 5480, section 2.1.1).
const EC_PUBLIC_KEY: &[u8] = b"\x2a\x86\x48\xce\x3d\x02\x01";
/// 1.2.840.10045.3.1.7 (RFC 5480, section 2.1.1.1).
const P256: &[u8] = b"\x2a\x86\x48\xce\x3d\x03\x01\x07";
/// 1.3.101.112 (RFC 8410, section 3).
const ED25519: &[u8] = b"\x2b\x65\x70";

/// What a key is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Ed25519,
    P256,
    Rsa,
    /// A key, and none that tokens are signed with here.
    Other,
}

/// Values one after the other, each taken by its tag.
#[derive(Clone, Copy)]
struct Values<'a>(&'a [u8]);

impl<'a> Values<'a> {
    /// The content of the next value, if it has this tag and its length in the one spelling that DER has.
    fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (&found, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81 | 0x82 => {
                let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                let length = bytes
                    .iter()
                    .fold(0, |length, byte| length << 8 | usize::from(*byte));
                let least = if first == 0x81 { 0x80 } else { 0x100 };
                (Some(length).filter(|length| *length >= least)?, rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        (found == tag).then(|| {
            self.0 = rest;
            content
        })
    }

    /// The next value, a number above zero: its bytes without the zero that only says that it is positive.
    fn positive(&mut self) -> Option<&'a [u8]> {
        match self.take(INTEGER)? {
            [0, rest @ ..] => rest
                .first()
                .is_some_and(|byte| *byte >= 0x80)
                .then_some(rest),
            number => number
                .first()
                .is_some_and(|byte| *byte < 0x80)
                .then_some(number),
        }
    }
}

/// The values of a structure that is the whole of the text.
fn structure(der: &[u8]) -> Option<Values<'_>> {
    let mut outer = Values(der);
    let inner = outer.take(SEQUENCE)?;
    outer.0.is_empty().then_some(Values(inner))
}

fn kind(algorithm: &[u8]) -> Option<Kind> {
    let mut algorithm = Values(algorithm);
    let id = algorithm.take(OBJECT_ID)?;
    let parameters = algorithm.0;
    Some(match id {
        ED25519 if parameters.is_empty() => Kind::Ed25519,
        RSA_ENCRYPTION if parameters == [NULL, 0] => Kind::Rsa,
        EC_PUBLIC_KEY if algorithm.take(OBJECT_ID)? == P256 && algorithm.0.is_empty() => Kind::P256,
        _ => Kind::Other,
    })
}

/// What a private key is of, and what stands in it for that algorithm (PKCS#8, RFC 5208 and RFC 5958).
pub(super) fn private_key(der: &[u8]) -> Option<(Kind, &[u8])> {
    let mut values = structure(der)?;
    let version = values.take(INTEGER)?;
    if !matches!(version, [0 | 1]) {
        return None;
    }
    let kind = kind(values.take(SEQUENCE)?)?;
    Some((kind, values.take(OCTET_STRING)?))
}

/// What a public key is of, and what stands in it for that algorithm (SubjectPublicKeyInfo, RFC 5280).
pub(super) fn public_key(der: &[u8]) -> Option<(Kind, &[u8])> {
    let mut values = structure(der)?;
    let kind = kind(values.take(SEQUENCE)?)?;
    match values.take(BIT_STRING)? {
        [0, key @ ..] if values.0.is_empty() => Some((kind, key)),
        _ => None,
    }
}

/// Modulus and exponent of an `RSAPublicKey`.
pub(super) fn rsa_public(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut values = structure(der)?;
    let (modulus, exponent) = (values.positive()?, values.positive()?);
    values.0.is_empty().then_some((modulus, exponent))
}

/// The modulus of an `RSAPrivateKey`.
pub(super) fn rsa_private_modulus(der: &[u8]) -> Option<&[u8]> {
    let mut values = structure(der)?;
    values.take(INTEGER)?;
    values.positive()
}

/// How many bits a number has that begins with a byte that is not zero.
pub(super) fn bits(number: &[u8]) -> usize {
    let unused = number
        .first()
        .map_or(0, |byte| byte.leading_zeros() as usize);
    (number.len() * 8).saturating_sub(unused)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_length_has_one_spelling() {
        let take = |der: &[u8]| Values(der).take(INTEGER).map(<[u8]>::len);
        let long = |head: &[u8], length| [head, &vec![7; length]].concat();
        assert_eq!(take(b"\x02\x01\x05"), Some(1));
        assert_eq!(take(b"\x02\x00"), Some(0));
        assert_eq!(take(&long(b"\x02\x81\x80", 0x80)), Some(0x80));
        assert_eq!(take(&long(b"\x02\x82\x01\x00", 0x100)), Some(0x100));
        for (head, length) in [
            (b"\x02\x81\x7f".as_slice(), 0x7f),
            (b"\x02\x82\x00\xff", 0xff),
            (b"\x02\x80", 3),
            (b"\x02\x83\x01\x00\x00", 0x1_0000),
            (b"\x02\x84\x00\x00\x00\x01", 1),
            (b"\x03\x01", 1),
            (b"\x02\x05", 4),
        ] {
            assert_eq!(take(&long(head, length)), None, "{head:?}");
        }
    }

    #[test]
    fn a_number_is_positive_and_has_one_spelling() {
        let number = |der: &'static [u8]| Values(der).positive();
        assert_eq!(number(b"\x02\x01\x05"), Some(&[5][..]));
        assert_eq!(number(b"\x02\x02\x00\x80"), Some(&[0x80][..]));
        for bad in [
            b"\x02\x00".as_slice(),
            b"\x02\x01\x80",
            b"\x02\x02\x00\x05",
            b"\x02\x01\x00",
        ] {
            assert_eq!(number(bad), None, "{bad:?}");
        }
        assert_eq!((bits(&[0x80, 0]), bits(&[1]), bits(&[])), (16, 1, 0));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = (private_key(&bytes), public_key(&bytes), rsa_public(&bytes), rsa_private_modulus(&bytes));
        }

        /// The same with a beginning that is right.
        #[test]
        fn what_begins_well_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let whole = |tail: &[u8]| {
                let content = [b"\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70".as_slice(), tail].concat();
                [&[SEQUENCE, u8::try_from(content.len()).unwrap()], content.as_slice()].concat()
            };
            let _ = private_key(&whole(&bytes));
        }
    }
}
