//! What is kept of a code, as bytes.
//!
//! ```text
//! reset     version 1 | 'r' | account's revision 4
//! pending   version 1 | 'p' | account's id 16 | length of the hash 2 | hash | address
//! done      version 1 | 'd' | account's id 16
//! ```
//!
//! Numbers are big-endian. Bytes that are not exactly that are an error, whatever they might mean.

use crate::id::AccountId;
use crate::key::Revision;
use crate::secret::StoredHash;

const VERSION: u8 = 1;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CodeValue {
    /// Whoever has the code may give the account another password, as long as it has the one of this revision.
    Reset { revision: Revision },
    /// Whoever has the code may have this account made.
    Pending {
        account: AccountId,
        /// As it was given.
        email: String,
        hash: StoredHash,
    },
    /// This account was made by it.
    Done { account: AccountId },
}

impl CodeValue {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        match self {
            Self::Reset { revision } => {
                bytes.push(b'r');
                bytes.extend(revision.get().to_be_bytes());
            }
            Self::Pending {
                account,
                email,
                hash,
            } => {
                bytes.push(b'p');
                bytes.extend(account.as_bytes());
                let hash = hash.as_str().as_bytes();
                bytes.extend(u16::try_from(hash.len()).unwrap_or(0).to_be_bytes());
                bytes.extend(hash);
                bytes.extend(email.as_bytes());
            }
            Self::Done { account } => {
                bytes.push(b'd');
                bytes.extend(account.as_bytes());
            }
        }
        bytes
    }

    /// `None` for bytes that [`to_bytes`](Self::to_bytes) does not make.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let ([VERSION, kind], rest) = bytes.split_first_chunk::<2>()? else {
            return None;
        };
        match kind {
            b'r' => {
                let revision = u32::from_be_bytes(rest.try_into().ok()?);
                Some(Self::Reset {
                    revision: Revision::new(revision),
                })
            }
            b'p' => {
                let (account, rest) = rest.split_first_chunk::<16>()?;
                let (length, rest) = rest.split_first_chunk::<2>()?;
                let length = usize::from(u16::from_be_bytes(*length));
                let (hash, email) = rest.split_at_checked(length)?;
                Some(Self::Pending {
                    account: AccountId::from_bytes(*account),
                    email: std::str::from_utf8(email).ok()?.to_owned(),
                    hash: StoredHash::new(std::str::from_utf8(hash).ok()?.to_owned()),
                })
            }
            b'd' => Some(Self::Done {
                account: AccountId::from_bytes(rest.try_into().ok()?),
            }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_value() -> impl Strategy<Value = CodeValue> {
        let account = || any::<[u8; 16]>().prop_map(AccountId::from_bytes);
        prop_oneof![
            any::<u32>().prop_map(|number| CodeValue::Reset {
                revision: Revision::new(number)
            }),
            account().prop_map(|account| CodeValue::Done { account }),
            (account(), "\\PC{0,254}", "[ -~]{0,512}").prop_map(|(account, email, hash)| {
                let hash = StoredHash::new(hash);
                CodeValue::Pending {
                    account,
                    email,
                    hash,
                }
            }),
        ]
    }

    proptest! {
        #[test]
        fn a_value_comes_back(value in any_value()) {
            let bytes = value.to_bytes();
            prop_assert!(bytes.len() <= crate::store::StateRecord::MAX_BYTES);
            prop_assert_eq!(CodeValue::from_bytes(&bytes), Some(value));
        }

        #[test]
        fn arbitrary_bytes_are_none_or_have_one_form(bytes in proptest::collection::vec(any::<u8>(), 0..80), known in any::<bool>()) {
            let bytes = if known { [vec![VERSION], bytes].concat() } else { bytes };
            if let Some(value) = CodeValue::from_bytes(&bytes) {
                prop_assert_eq!(value.to_bytes(), bytes);
            }
        }
    }
}
