//! Those who check, make and revoke keys while there is trouble.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::world::{Node, World};
use super::{Kind, Plan};
use crate::harness::client;
use crate::harness::forge::Forge;
use crate::harness::person::Key;
use crate::harness::proxy::Trouble;
use crate::run::Run;

/// How often a node reads the journal, and what its reading may take.
const INTERVAL: Duration = Duration::from_millis(250);
/// How much longer than the bound the black hole lasts.
const LONGER: Duration = Duration::from_millis(400);
/// Between two requests of one client.
const PACE: Duration = Duration::from_millis(5);

fn one_more(count: &AtomicU64) {
    count.fetch_add(1, Ordering::Relaxed);
}

/// What a node said to a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Granted,
    Denied,
    Undecided,
    Nothing,
}

/// A key whose revocation was acknowledged, when, and by which node.
#[derive(Debug)]
pub(super) struct Revoked {
    text: String,
    at: Instant,
    by: usize,
}

/// Everybody's view of one kind of trouble.
struct Scene<'a> {
    world: &'a World,
    plan: &'a Plan,
    kind: &'a Kind,
    begun: Instant,
    over: AtomicBool,
}

/// Makes trouble of this kind for as long as planned, with all clients at work.
pub(super) fn trouble(world: &World, plan: &Plan, kind: &Kind, run: &Run) {
    let cold: Vec<_> = (0..plan.cold)
        .map(|_| world.owner.key(world.nodes[0].address()))
        .collect();
    for key in &cold {
        world.remember(&key.text);
    }
    world.proxy.make(kind.trouble);
    let scene = Scene {
        world,
        plan,
        kind,
        begun: Instant::now(),
        over: AtomicBool::new(false),
    };
    std::thread::scope(|scope| {
        for (number, node) in world.nodes.iter().enumerate() {
            let random = run.random(&format!("{} {number}", kind.name));
            scope.spawn(|| scene.warm(node));
            scope.spawn(|| scene.cold(node, &cold));
            scope.spawn(|| scene.unknown(node, random));
            scope.spawn(|| scene.health(node));
            scope.spawn({
                let scene = &scene;
                move || scene.revoke(number)
            });
        }
        scope.spawn(|| scene.look_again());
        let mut random = run.random(kind.name);
        let time = match kind.trouble {
            Trouble::BlackHole => plan.each.max(bound(plan) + LONGER),
            _ => plan.each,
        };
        while scene.begun.elapsed() < time && !run.is_over() {
            std::thread::sleep(Duration::from_millis(random.u64(20..200)));
            if kind.resets {
                world.proxy.reset();
            }
            run.progress(|| format!("{}, {} s", kind.name, scene.begun.elapsed().as_secs()));
        }
        // What is answered from now on is not answered in trouble.
        scene.over.store(true, Ordering::SeqCst);
        world.proxy.make(Trouble::None);
    });
}

/// Shows the last revoked keys again, when every node must know.
pub(super) fn look_at_last(world: &World, plan: &Plan) {
    let left = std::mem::take(&mut *world.revoked.lock().unwrap());
    for revoked in left {
        std::thread::sleep((revoked.at + bound(plan)).saturating_duration_since(Instant::now()));
        look(world, &revoked);
    }
}

/// How long another node may go by what was before a revocation.
fn bound(plan: &Plan) -> Duration {
    plan.staleness + INTERVAL
}

fn look(world: &World, revoked: &Revoked) {
    for (number, node) in world.nodes.iter().enumerate() {
        if check(world, node, &revoked.text) == Said::Granted {
            one_more(if number == revoked.by {
                &world.seen.revoked_granted_here
            } else {
                &world.seen.revoked_granted_there
            });
        }
    }
}

/// Checks a key and counts what can be counted of any.
fn check(world: &World, node: &Node, text: &str) -> Said {
    let begun = Instant::now();
    let headers = [("X-API-Key", text)];
    let answer = client::try_send(node.address(), "GET", "/demo/protected", &headers, "");
    match answer.map(|answer| answer.status) {
        Ok(200) => {
            one_more(&world.seen.granted);
            Said::Granted
        }
        Ok(503) => {
            world.seen.refusals.lock().unwrap().push(begun.elapsed());
            Said::Undecided
        }
        Ok(401 | 403) => Said::Denied,
        Ok(_) => {
            one_more(&world.seen.unexpected);
            Said::Nothing
        }
        Err(_) => {
            one_more(&world.seen.unanswered);
            Said::Nothing
        }
    }
}

impl Scene<'_> {
    fn goes_on(&self) -> bool {
        std::thread::sleep(PACE);
        !self.over.load(Ordering::SeqCst)
    }

    fn valid(&self, node: &Node, key: &Key) -> Said {
        let said = check(self.world, node, &key.text);
        if said == Said::Denied {
            one_more(&self.world.seen.valid_denied);
        }
        said
    }

    /// Checks keys that the node knows, which it may do up to the bound when the database says nothing.
    fn warm(&self, node: &Node) {
        for key in self.world.warm.iter().cycle() {
            if !self.goes_on() {
                return;
            }
            let asked = self.begun.elapsed();
            let said = self.valid(node, key);
            let answered = self.begun.elapsed();
            if self.kind.trouble != Trouble::BlackHole || self.over.load(Ordering::SeqCst) {
                continue;
            }
            if said == Said::Granted && asked > bound(self.plan) {
                one_more(&self.world.seen.past_the_bound);
            }
            if said == Said::Undecided && answered < self.plan.staleness / 2 {
                one_more(&self.world.seen.before_the_bound);
            }
        }
    }

    fn cold(&self, node: &Node, keys: &[Key]) {
        for key in keys.iter().cycle() {
            if !self.goes_on() {
                return;
            }
            self.valid(node, key);
        }
    }

    fn unknown(&self, node: &Node, random: fastrand::Rng) {
        let mut forge = Forge::new(random);
        while self.goes_on() {
            if check(self.world, node, &forge.genuine()) == Said::Granted {
                one_more(&self.world.seen.unknown_granted);
            }
        }
    }

    fn health(&self, node: &Node) {
        while self.goes_on() {
            let answer = client::try_send(node.address(), "GET", "/health", &[], "");
            if !answer.is_ok_and(|answer| answer.status == 200) {
                one_more(&self.world.seen.unhealthy);
            }
        }
    }

    /// Makes keys, shows them to both nodes, and revokes them.
    fn revoke(&self, number: usize) {
        let node = &self.world.nodes[number];
        let ask = |target: &str| {
            let answer = self.world.owner.ask(node.address(), "POST", target, "");
            if answer
                .as_ref()
                .is_ok_and(|answer| ![200, 201, 503].contains(&answer.status))
            {
                one_more(&self.world.seen.unexpected);
            }
            answer.ok()
        };
        while self.goes_on() {
            let Some(made) = ask("/keys").filter(|answer| answer.status == 201) else {
                continue;
            };
            let key = Key {
                id: made.text("id"),
                text: made.text("api_key"),
            };
            self.world.remember(&key.text);
            for other in &self.world.nodes {
                self.valid(other, &key);
            }
            let revoked = ask(&format!("/keys/{}/revoke", key.id));
            if revoked.is_some_and(|answer| answer.status == 200) {
                let at = Instant::now();
                one_more(&self.world.seen.revoked);
                if check(self.world, node, &key.text) == Said::Granted {
                    one_more(&self.world.seen.revoked_granted_here);
                }
                let revoked = Revoked {
                    text: key.text,
                    at,
                    by: number,
                };
                self.world.revoked.lock().unwrap().push(revoked);
            }
        }
    }

    /// Shows revoked keys again, as soon as every node must know.
    fn look_again(&self) {
        while self.goes_on() {
            let due = |revoked: &mut Revoked| revoked.at.elapsed() >= bound(self.plan);
            let due: Vec<_> = self
                .world
                .revoked
                .lock()
                .unwrap()
                .extract_if(.., due)
                .collect();
            for revoked in &due {
                look(self.world, revoked);
            }
        }
    }
}
