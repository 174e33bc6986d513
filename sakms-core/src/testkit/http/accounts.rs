//! Registering and signing in.

use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;

use super::stage::PASSWORD;
use super::{Answer, Stage, World};
use crate::clock::Clock as _;
use crate::journal::Actor;
use crate::testkit::fixtures;

/// An address is taken once, however it is spelt.
pub async fn an_address_is_registered_once(stage: &Stage) {
    let world = stage.world().await;
    let number = fixtures::number();
    world
        .register(&format!("ada.{number}@example.com"), PASSWORD)
        .await
        .expect(201);
    for spelling in [
        format!("ada.{number}@example.com"),
        format!("ADA.{number}@EXAMPLE.COM"),
        format!("Ada.{number}@Example.Com"),
        format!("\u{ff41}da.{number}@example.com"),
        format!("ada.{number}@example\u{3002}com"),
    ] {
        world
            .register(&spelling, PASSWORD)
            .await
            .expect(409)
            .problem("email_taken");
        world.login(&spelling, PASSWORD).await.expect(200);
    }
    world
        .register(&format!("ad\u{e1}.{number}@example.com"), PASSWORD)
        .await
        .expect(201);
}

/// Eight who register the same address at the same moment make one account.
pub async fn one_of_eight_registrations_gets_through(stage: &Stage) {
    let world = stage.world().await;
    let number = fixtures::number();
    let mut racing = JoinSet::new();
    for spelling in ["race", "Race", "RACE", "rAce"].repeat(2) {
        let body =
            json!({"email": format!("{spelling}{number}@example.com"), "password": PASSWORD});
        racing.spawn(world.client.post("/auth/register").json(&body).send());
    }
    let answers = racing.join_all().await;
    let (made, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 201);
    assert_eq!((made.len(), refused.len()), (1, 7));
    for answer in refused {
        assert_eq!(answer.status, 409, "{}", answer.whole());
        answer.problem("email_taken");
    }
    let id = made[0].text_of("user_id");
    let token = world
        .token(&format!("race{number}@example.com"), PASSWORD)
        .await;
    let key = world.made(world.client.post("/keys").bearer(&token)).await;
    assert_eq!(
        world.guarded(&key.text).await.expect(200).text_of("owner"),
        id
    );
}

/// Whether the address, the password or the account was wrong cannot be told from the answer.
pub async fn refused_sign_ins_look_alike(stage: &Stage) {
    let world = stage.world().await;
    let (user, disabled) = (world.user().await, world.user().await);
    world
        .sakms
        .disable_owner(&disabled.owner(), Actor::SYSTEM)
        .await
        .unwrap();
    let wrong_password = world
        .login(&user.email, "violet tram kettle oaks")
        .await
        .expect(401);
    wrong_password.problem("invalid_login");
    for (what, email, password) in [
        ("unknown", "nobody@example.com", PASSWORD),
        ("no address", "nobody", PASSWORD),
        ("empty", "", ""),
        ("a lookalike", &format!("{} ", user.email), PASSWORD),
        ("SQL", "' OR 1=1 --@example.com", "' OR '1'='1"),
        ("disabled", &disabled.email, PASSWORD),
        ("other capitals", &user.email, &PASSWORD.to_uppercase()),
        ("a trailing space", &user.email, &format!("{PASSWORD} ")),
        ("a NUL", &user.email, &format!("{PASSWORD}\0")),
        ("an empty password", &user.email, ""),
    ] {
        let answer = world.login(email, password).await;
        assert_eq!(answer.essence(), wrong_password.essence(), "{what}");
    }
    world.login(&user.email, PASSWORD).await.expect(200);
}

/// What is no address is refused by name.
pub async fn what_is_no_address_is_refused(stage: &Stage) {
    let world = stage.world().await;
    for email in [
        "",
        " ",
        "ada",
        "ada@",
        "@example.com",
        "ada@example",
        "ada@example.com ",
        " ada@example.com",
        "ada@ada@example.com",
        "Ada <ada@example.com>",
        "\"ada lovelace\"@example.com",
        "ada@[127.0.0.1]",
        "ada\0@example.com",
        "ada\r\nBcc: all@example.com",
        "ada@exa\u{200b}mple.com",
        &format!("{}@example.com", "a".repeat(300)),
    ] {
        world.register(email, PASSWORD).await.invalid(&["email"]);
    }
}

/// A weak password is refused, and the answer says why.
pub async fn weak_passwords_are_refused_with_the_reason(stage: &Stage) {
    let world = stage.world().await;
    for password in [
        "",
        "short",
        "fourteen chars",
        "passwordpassword",
        "123456789012345",
    ] {
        let email = format!("weak{}@example.com", fixtures::number());
        let answer = world.register(&email, password).await;
        answer.invalid(&["password"]);
        let reason = answer.problem("invalid_input")["errors"][0]["message"].clone();
        assert!(
            reason.as_str().is_some_and(|reason| reason.len() > 10),
            "{password}: {reason}"
        );
        world
            .login(&email, password)
            .await
            .expect(401)
            .problem("invalid_login");
    }
}

/// A password has at most 1,024 bytes, at both doors: no more is hashed for anybody.
pub async fn passwords_have_an_end(stage: &Stage) {
    let world = stage.world().await;
    let email = format!("long{}@example.com", fixtures::number());
    let longest: String = (0..)
        .map(|word: u32| format!("{word:x} "))
        .take(1_024)
        .collect();
    let longest = &longest[..1_024];
    world.register(&email, longest).await.expect(201);
    world.login(&email, longest).await.expect(200);
    let too_long = format!("{longest}x");
    world
        .register("other@example.com", &too_long)
        .await
        .invalid(&["password"]);
    for email in [email.as_str(), "nobody@example.com"] {
        world.login(email, &too_long).await.invalid(&["password"]);
        world
            .login(email, &"\u{1f511}".repeat(300))
            .await
            .invalid(&["password"]);
    }
}

/// A password may hold anything, and every letter of it counts.
pub async fn passwords_are_taken_to_the_letter(stage: &Stage) {
    let world = stage.world().await;
    for password in [
        " leading and trailing spaces ",
        "\u{1f511} \u{1f43b} \u{1f33b} keys bears and flowers",
        "quote \" backslash \\ slash / and \u{7f}",
        "a NUL \0 in the middle of it",
    ] {
        let email = format!("letter{}@example.com", fixtures::number());
        world.register(&email, password).await.expect(201);
        world.login(&email, password).await.expect(200);
        let shorter: String = password
            .chars()
            .take(password.chars().count() - 1)
            .collect();
        for wrong in [
            password.trim(),
            &shorter,
            &password.to_uppercase(),
            password.split('\0').next().unwrap(),
        ] {
            if wrong != password {
                world.login(&email, wrong).await.expect(401);
            }
        }
    }
}

/// A token ends after its hour, and not before.
pub async fn a_token_ends_after_its_time(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let list = || world.client.get("/keys").bearer(&user.token).send();
    world.clock.advance(Duration::from_secs(3_599));
    list().await.expect(200);
    world.clock.advance(Duration::from_mins(1));
    list().await.expect(401).problem("invalid_token");
    let again = world.token(&user.email, &user.password).await;
    world
        .client
        .get("/keys")
        .bearer(&again)
        .send()
        .await
        .expect(200);
}

/// Every token that is not good is refused with the same bytes.
pub async fn bad_tokens_look_alike(stage: &Stage) {
    let world = stage.world().await;
    let (user, another) = (world.user().await, world.user().await);
    let parts = |token: &str| token.split('.').map(str::to_owned).collect::<Vec<_>>();
    let (mine, theirs) = (parts(&user.token), parts(&another.token));
    let refused = world
        .client
        .get("/keys")
        .bearer("a.b.c")
        .send()
        .await
        .expect(401);
    refused.problem("invalid_token");
    world.clock.set(
        fixtures::START
            .checked_add(Duration::from_hours(2))
            .unwrap(),
    );
    let bad = [
        ("an old one", user.token.clone()),
        (
            "another's claims",
            format!("{}.{}.{}", mine[0], theirs[1], mine[2]),
        ),
        ("no signature", format!("{}.{}.", mine[0], mine[1])),
        ("no algorithm", format!("eyJhbGciOiJub25lIn0.{}.", mine[1])),
        ("two parts", format!("{}.{}", mine[0], mine[1])),
        ("four parts", format!("{}.x", user.token)),
        ("dots", "..".to_owned()),
        ("a longer signature", format!("{}A", user.token)),
        (
            "long",
            format!(
                "{}.{}.{}",
                "a".repeat(2_000),
                "b".repeat(2_000),
                "c".repeat(2_000)
            ),
        ),
    ];
    for (what, token) in &bad {
        let answer = world.client.get("/keys").bearer(token).send().await;
        assert_eq!(answer.essence(), refused.essence(), "{what}");
    }
    assert!(world.clock.now() > fixtures::START);
}

/// Whoever is disabled can neither sign in nor use what they hold, and is back with all of it when enabled again.
pub async fn a_disabled_owner_is_shut_out(stage: &Stage) {
    let world = stage.world().await;
    let (user, another) = (world.user().await, world.user().await);
    let manager = world
        .key_with(&user, &json!({"scopes": ["keys:read"]}))
        .await;
    let doors = |world: &World| {
        let list = || world.client.get("/keys");
        let login = json!({"email": user.email, "password": user.password});
        [
            world.client.post("/auth/login").json(&login),
            list().bearer(&user.token),
            list().bearer(&manager.text),
            world.client.get("/guarded/any").api_key(&manager.text),
        ]
    };
    let knock = async || {
        let mut answers: Vec<Answer> = Vec::new();
        for door in doors(&world) {
            answers.push(door.send().await);
        }
        answers
    };
    assert!(knock().await.iter().all(|answer| answer.status == 200));

    world
        .sakms
        .disable_owner(&user.owner(), Actor::SYSTEM)
        .await
        .unwrap();
    let codes = [
        "invalid_login",
        "invalid_token",
        "key_disabled",
        "key_disabled",
    ];
    for (answer, code) in knock().await.into_iter().zip(codes) {
        answer.expect(401).problem(code);
    }
    world
        .client
        .get("/keys")
        .bearer(&another.token)
        .send()
        .await
        .expect(200);

    world
        .sakms
        .enable_owner(&user.owner(), Actor::SYSTEM)
        .await
        .unwrap();
    assert!(knock().await.iter().all(|answer| answer.status == 200));
}
