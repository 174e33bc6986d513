//! What a service does when more passwords are to be hashed than can be: it sends the rest away, and they cost it nothing.
#![cfg(feature = "testkit")]

use sakms_core::hash::{HashError, HashPoolConfig};
use sakms_core::key::MasterKey;
use sakms_core::secret::Password;
use sakms_core::service::{Error, Sakms};
use sakms_core::store::MemoryStore;
use sakms_core::testkit::faults::{Faults, StoreMethod};
use sakms_core::token::{HmacSecret, JwtIssuer, Keyring};

/// How many sign in at once: more than one thread and one place in the line are for.
const MANY: u64 = 12;

#[tokio::test]
async fn whoever_finds_no_room_in_the_line_is_looked_up_nowhere() {
    let store = Faults::over(MemoryStore::new());
    let master = MasterKey::from_bytes(*b"0123456789abcdefghijklmnopqrstuv").unwrap();
    let secret = HmacSecret::from_bytes(b"kB3rVw9pTz6mXc1qHs8dLf4gNj7uYe2aRo5iKx0").unwrap();
    let keyring = Keyring::hs256(secret);
    let issuer = JwtIssuer::builder(keyring).audience("acme").build();
    // Argon2 as it is by default: it takes longer than all of them need to come.
    let hashing = HashPoolConfig::default().password_threads(1).queue(1);
    let sakms = Sakms::builder(store.clone(), master)
        .hashing(hashing)
        .accounts(store.clone())
        .token_issuer(issuer.unwrap())
        .build()
        .unwrap();
    let password = Password::new("violet tram kettle oak".to_owned());
    let before = store.calls(StoreMethod::AccountByEmail);
    let sign_ins = (0..MANY).map(|number| {
        let (sakms, password) = (&sakms, &password);
        async move {
            sakms
                .login(&format!("user{number}@example.com"), password)
                .await
        }
    });
    let mut sent_away = 0;
    for outcome in futures_util::future::join_all(sign_ins).await {
        match outcome {
            Ok(verdict) => assert!(verdict.into_result().is_err(), "nobody has an account"),
            Err(Error::Hash(HashError::Overloaded)) => sent_away += 1,
            Err(error) => panic!("{error}"),
        }
    }
    let looked_up = store.calls(StoreMethod::AccountByEmail) - before;
    assert!(sent_away >= MANY - 2, "{sent_away} were sent away");
    assert_eq!(looked_up, MANY - sent_away);
}
