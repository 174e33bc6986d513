//! Which environment a key opens.

use serde_json::json;

use super::Stage;

/// A guard that says nothing of environments is one of the service's first: a test key opens no live route.
pub async fn a_guard_takes_the_first_environment_unless_it_says(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let live = world.key_with(&user, &json!({"scopes": ["*"]})).await;
    let test = json!({"environment": "test", "scopes": ["*"]});
    let test = world.key_with(&user, &test).await;
    for (path, opens_live, opens_test) in [
        ("/guarded/any", true, false),
        ("/guarded/reports", true, false),
        ("/guarded/maybe", true, false),
        ("/guarded/costly", true, false),
        ("/guarded/live", true, false),
        ("/guarded/test", false, true),
        ("/guarded/everywhere", true, true),
    ] {
        for (key, opens) in [(&live, opens_live), (&test, opens_test)] {
            let answer = world.client.get(path).bearer(&key.text).send().await;
            if opens {
                answer.expect(200);
            } else {
                answer.expect(401).problem("wrong_environment");
            }
        }
    }
}

/// Keys are managed with a key of any environment: an owner's keys are one list.
pub async fn an_owners_keys_are_managed_together(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let test = json!({"environment": "test", "scopes": ["keys:read"]});
    let test = world.key_with(&user, &test).await;
    world.key(&user).await;
    let list = world.client.get("/keys").bearer(&test.text).send().await;
    assert_eq!(list.expect(200).items().len(), 2);
}
