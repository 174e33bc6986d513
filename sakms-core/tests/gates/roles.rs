//! The scopes of a role are those of whoever holds it, as they are now.

use proptest::prelude::*;
use sakms_core::journal::{Action, Subject};
use sakms_core::key::{KeyPatch, Role, RoleSet};
use sakms_core::service::KeyDenial;
use sakms_core::store::KeyStore as _;
use sakms_core::testkit::faults::StoreMethod;
use sakms_core::testkit::fixtures;

use super::{Key, Node};

async fn set_role(node: &Node, name: &str, scopes: &str) {
    let role = Role::new(
        name.parse().unwrap(),
        scopes.parse().unwrap(),
        fixtures::START,
    );
    let entry = fixtures::entry(Action::ROLE_SET, Subject::role(&role.name));
    node.store.set_role(&role, &entry).await.unwrap();
}

async fn remove_role(node: &Node, name: &str) {
    let name = name.parse().unwrap();
    let entry = fixtures::entry(Action::ROLE_REMOVE, Subject::role(&name));
    node.store.remove_role(&name, &entry).await.unwrap();
}

async fn holding(node: &Node, scopes: &str, roles: &[&str]) -> Key {
    let key = node.key(scopes).await;
    let mut patch = KeyPatch::default();
    let roles = roles.iter().map(|name| name.parse().unwrap());
    patch.roles = Some(RoleSet::new(roles).unwrap());
    node.change(&key, &patch).await;
    key
}

#[tokio::test]
async fn a_key_may_do_what_its_roles_say_and_what_it_may_itself() {
    let node = Node::new();
    set_role(&node, "reader", "reports:read users:read").await;
    set_role(&node, "writer", "reports:write").await;
    set_role(&node, "other", "secret:all").await;
    let key = holding(&node, "own:thing", &["reader", "writer", "gone"]).await;
    node.sakms.catch_up().await.unwrap();
    let seen = node.verify(&key, "any", None, 1).await.unwrap().unwrap();
    assert_eq!(
        seen.scopes().to_string(),
        "own:thing reports:read reports:write users:read"
    );
    assert_eq!(seen.own_scopes().to_string(), "own:thing");
    let roles: Vec<_> = seen.roles().map(ToString::to_string).collect();
    assert_eq!(roles, ["gone", "reader", "writer"]);
    let requirement = "reports:read and own:thing and not secret:all";
    assert_eq!(node.check(&key, requirement).await.unwrap(), Ok(()));

    let plain = node.key("own:thing").await;
    let seen = node.verify(&plain, "any", None, 1).await.unwrap().unwrap();
    assert_eq!(seen.scopes(), seen.own_scopes());
    assert_eq!(seen.roles().count(), 0);
}

#[tokio::test]
async fn roles_are_read_for_keys_that_hold_some_and_once() {
    let node = Node::new();
    set_role(&node, "reader", "reports:read").await;
    let (plain, holder) = (
        node.key("a:b").await,
        holding(&node, "a:b", &["reader"]).await,
    );
    node.sakms.catch_up().await.unwrap();
    for _ in 0..3 {
        node.check(&plain, "a:b").await.unwrap().unwrap();
    }
    assert_eq!(node.store.calls(StoreMethod::Roles), 0);
    for _ in 0..3 {
        node.check(&holder, "reports:read").await.unwrap().unwrap();
    }
    assert_eq!(node.store.calls(StoreMethod::Roles), 1);
}

#[tokio::test]
async fn a_change_of_a_role_is_in_force_after_a_reading_of_the_journal() {
    let one = Node::new();
    let other = Node::over(one.store.clone());
    set_role(&one, "reader", "reports:read").await;
    let key = holding(&one, "", &["reader"]).await;
    let read = "reports:read";
    for node in [&one, &other] {
        node.sakms.catch_up().await.unwrap();
        assert_eq!(node.check(&key, read).await.unwrap(), Ok(()));
    }
    let missing = Err(KeyDenial::MissingScope(read.parse().unwrap()));
    set_role(&other, "reader", "reports:write").await;
    for node in [&one, &other] {
        assert_eq!(
            node.check(&key, read).await.unwrap(),
            Ok(()),
            "not heard of"
        );
        node.sakms.catch_up().await.unwrap();
        assert_eq!(node.check(&key, read).await.unwrap(), missing);
        assert_eq!(node.check(&key, "reports:write").await.unwrap(), Ok(()));
    }
    remove_role(&other, "reader").await;
    for node in [&one, &other] {
        node.sakms.catch_up().await.unwrap();
        assert!(node.check(&key, "reports:write").await.unwrap().is_err());
        assert_eq!(node.check(&key, "any").await.unwrap(), Ok(()));
    }
    // One of the same name that is made anew is held by whoever held it.
    set_role(&one, "reader", "reports:read").await;
    for node in [&one, &other] {
        node.sakms.catch_up().await.unwrap();
        assert_eq!(node.check(&key, read).await.unwrap(), Ok(()));
    }
}

#[tokio::test]
async fn what_matters_to_no_key_makes_nobody_read_anew() {
    let node = Node::new();
    let key = node.key("a:b").await;
    node.sakms.catch_up().await.unwrap();
    node.check(&key, "a:b").await.unwrap().unwrap();
    let before = node.store.calls(StoreMethod::Find);
    for (action, subject) in [
        (Action::KEY_REFUSE, Subject::key(key.id)),
        (Action::KEY_REFUSE, Subject::SERVICE),
        (Action::ACCOUNT_REFUSE, Subject::SERVICE),
        (Action::KEYRING_ROTATE, Subject::SERVICE),
        (
            Action::ACCOUNT_REFUSE,
            Subject::account(fixtures::account_id()),
        ),
    ] {
        let entry = fixtures::entry(action, subject);
        node.store.note(&entry).await.unwrap();
        node.sakms.catch_up().await.unwrap();
        node.check(&key, "a:b").await.unwrap().unwrap();
        assert_eq!(node.store.calls(StoreMethod::Find), before);
    }
    // A subject that this version does not know may matter.
    let unknown = Subject::from_stored("tenant:x".to_owned());
    let entry = fixtures::entry(Action::ROLE_SET, unknown);
    node.store.note(&entry).await.unwrap();
    node.sakms.catch_up().await.unwrap();
    node.check(&key, "a:b").await.unwrap().unwrap();
    assert_eq!(node.store.calls(StoreMethod::Find), before + 1);
}

/// What may happen to two roles and three keys on two nodes.
#[derive(Debug, Clone, Copy)]
enum Step {
    Check { node: usize, key: usize },
    Set { role: usize, scope: usize },
    Remove { role: usize },
    Hold { key: usize, roles: usize },
    CatchUp { node: usize },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0_usize..2, 0_usize..3).prop_map(|(node, key)| Step::Check { node, key }),
        2 => (0_usize..2, 0_usize..3).prop_map(|(role, scope)| Step::Set { role, scope }),
        1 => (0_usize..2).prop_map(|role| Step::Remove { role }),
        1 => (0_usize..3, 0_usize..4).prop_map(|(key, roles)| Step::Hold { key, roles }),
        2 => (0_usize..2).prop_map(|node| Step::CatchUp { node }),
    ];
    prop::collection::vec(step, 1..60)
}

const ROLES: [&str; 2] = ["one", "two"];
const SCOPES: [&str; 3] = ["a:1", "a:2", "a:3"];

/// Which scope each role has, and which roles each key holds.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Truth {
    scopes: [Option<usize>; 2],
    held: [usize; 3],
}

impl Truth {
    fn scopes_of(&self, key: usize) -> Vec<String> {
        let held = (0..2).filter(|role| self.held[key] >> role & 1 == 1);
        let mut scopes: Vec<_> = held
            .filter_map(|role| self.scopes[role])
            .map(|scope| SCOPES[scope].to_owned())
            .collect();
        scopes.sort();
        scopes.dedup();
        scopes
    }
}

async fn run(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let first = Node::new();
    let second = Node::over(first.store.clone());
    let nodes = [first, second];
    let mut keys = Vec::new();
    for _ in 0..3 {
        keys.push(nodes[0].key("").await);
    }
    let mut truth = Truth {
        scopes: [None; 2],
        held: [0; 3],
    };
    for node in &nodes {
        node.sakms.catch_up().await.unwrap();
    }
    // Everything that was true since a node last read the journal: any of it is an answer it may give.
    let mut possible = [vec![truth.clone()], vec![truth.clone()]];
    for step in steps {
        match step {
            Step::Check { node, key } => {
                let seen = nodes[node].verify(&keys[key], "any", None, 1).await;
                let seen = seen.unwrap().unwrap();
                let scopes: Vec<_> = seen.scopes().iter().map(ToString::to_string).collect();
                let allowed: Vec<_> = possible[node]
                    .iter()
                    .map(|then| then.scopes_of(key))
                    .collect();
                prop_assert!(allowed.contains(&scopes), "{scopes:?} of {allowed:?}");
            }
            Step::Set { role, scope } => {
                set_role(&nodes[0], ROLES[role], SCOPES[scope]).await;
                truth.scopes[role] = Some(scope);
            }
            Step::Remove { role } => {
                if truth.scopes[role].take().is_some() {
                    remove_role(&nodes[0], ROLES[role]).await;
                }
            }
            Step::Hold { key, roles } => {
                let held = (0..2).filter(|role| roles >> role & 1 == 1);
                let held = held.map(|role: usize| ROLES[role].parse().unwrap());
                let mut patch = KeyPatch::default();
                patch.roles = Some(RoleSet::new(held).unwrap());
                nodes[0].change(&keys[key], &patch).await;
                truth.held[key] = roles;
            }
            Step::CatchUp { node } => {
                nodes[node].sakms.catch_up().await.unwrap();
                possible[node].clear();
            }
        }
        for possible in &mut possible {
            if !possible.contains(&truth) {
                possible.push(truth.clone());
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    /// Whatever happens in whatever order, no node grants by a role what it did not grant at some time since that node last
    /// read the journal.
    #[test]
    fn no_node_grants_what_a_role_no_longer_grants(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(steps))?;
    }
}
