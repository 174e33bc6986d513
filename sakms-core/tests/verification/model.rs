//! Two nodes against what is true, whatever happens in whatever order.

use std::time::Duration;

use proptest::prelude::*;
use sakms_core::journal::Actor;
use sakms_core::service::{KeyDenial, NewKey};
use sakms_core::store::StoreErrorKind;
use sakms_core::testkit::faults::{Fault, StoreMethod};

use crate::node::Node;

/// What may happen to three keys of two owners on two nodes.
#[derive(Debug, Clone, Copy)]
enum Step {
    Check { node: usize, key: usize },
    Revoke { node: usize, key: usize },
    Disable { node: usize, owner: usize },
    Enable { node: usize, owner: usize },
    CatchUp { node: usize },
    Advance,
    JournalAway,
    Heal,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let node = 0_usize..2;
    let step = prop_oneof![
        6 => (node.clone(), 0_usize..3).prop_map(|(node, key)| Step::Check { node, key }),
        1 => (node.clone(), 0_usize..3).prop_map(|(node, key)| Step::Revoke { node, key }),
        1 => (node.clone(), 0_usize..2).prop_map(|(node, owner)| Step::Disable { node, owner }),
        1 => (node.clone(), 0_usize..2).prop_map(|(node, owner)| Step::Enable { node, owner }),
        2 => node.prop_map(|node| Step::CatchUp { node }),
        1 => Just(Step::Advance),
        1 => Just(Step::JournalAway),
        1 => Just(Step::Heal),
    ];
    prop::collection::vec(step, 1..80)
}

/// What is true, and since when each node must know: what a node did itself and what it has read of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Truth {
    revoked: [bool; 3],
    disabled: [bool; 2],
}

impl Truth {
    const OWNER_OF: [usize; 3] = [0, 0, 1];

    fn answer(self, key: usize) -> Result<(), KeyDenial> {
        match () {
            () if self.revoked[key] => Err(KeyDenial::Revoked),
            () if self.disabled[Self::OWNER_OF[key]] => Err(KeyDenial::OwnerDisabled),
            () => Ok(()),
        }
    }
}

async fn run(steps: Vec<Step>) -> Result<(), TestCaseError> {
    const OWNERS: [&str; 2] = ["ada", "bob"];
    let first = Node::new();
    let second = Node::over(first.store.clone(), |builder| builder);
    let nodes = [first, second];
    let mut keys = Vec::new();
    for owner in Truth::OWNER_OF {
        keys.push(nodes[0].key(OWNERS[owner], NewKey::default()).await);
    }
    let mut truth = Truth {
        revoked: [false; 3],
        disabled: [false; 2],
    };
    // Everything that was true since a node last knew for certain: any of it is an answer that node may give.
    let mut possible = [vec![truth], vec![truth]];
    for step in steps {
        match step {
            Step::Check { node, key } => {
                let answer = nodes[node].check(&keys[key]).await.unwrap();
                let allowed: Vec<_> = possible[node].iter().map(|then| then.answer(key)).collect();
                prop_assert!(
                    allowed.contains(&answer),
                    "{answer:?} is none of {allowed:?}"
                );
                let fresh = nodes[node].sakms.journal_status().trusted;
                prop_assert!(fresh || answer == truth.answer(key));
            }
            Step::Revoke { node, key } => {
                nodes[node].revoke(&keys[key]).await;
                truth.revoked[key] = true;
                // The node that did it knows of it, whatever else it does not know.
                for then in &mut possible[node] {
                    then.revoked[key] = true;
                }
            }
            Step::Disable { node, owner } | Step::Enable { node, owner } => {
                let name = OWNERS[owner].parse().unwrap();
                let disable = matches!(step, Step::Disable { .. });
                let sakms = &nodes[node].sakms;
                if disable {
                    sakms.disable_owner(&name, Actor::SYSTEM).await.unwrap();
                } else {
                    sakms.enable_owner(&name, Actor::SYSTEM).await.unwrap();
                }
                truth.disabled[owner] = disable;
                for then in &mut possible[node] {
                    then.disabled[owner] = disable;
                }
            }
            Step::CatchUp { node } => {
                if nodes[node].sakms.catch_up().await.is_ok() {
                    possible[node].clear();
                }
            }
            Step::Advance => {
                for node in &nodes {
                    node.clock.advance(Duration::from_secs(3));
                }
            }
            Step::JournalAway => nodes[0].store.inject_into(
                StoreMethod::JournalAfter,
                Fault::Before(StoreErrorKind::Unavailable),
            ),
            Step::Heal => nodes[0].store.heal(),
        }
        for possible in &mut possible {
            if !possible.contains(&truth) {
                possible.push(truth);
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Whatever happens in whatever order, no node says what was not true at some time since it last read the journal,
    /// and none takes back what it was told itself.
    #[test]
    fn no_node_says_what_is_no_longer_true(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(steps))?;
    }
}
