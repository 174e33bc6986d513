//! What the guard costs a request, over real sockets, in both frameworks.

use std::time::Duration;

use criterion::Criterion;
use sakms_benches::app::{App, BARE, FRAMEWORKS, GUARDED, LAYERED};
use sakms_benches::figure::{Goal, Unit};
use sakms_benches::load::Load;
use sakms_benches::run::Run;
use sakms_benches::timing::in_turns;
use sakms_benches::world::World;
use sakms_core::hash::Argon2Params;

/// How many connections there are at once; each has a key of its own.
const CONNECTIONS: [u64; 4] = [1, 8, 32, 128];
/// With how many the guard is held to its goal.
const GOAL_AT: u64 = 32;

pub(crate) fn measure(run: &Run, _: &mut Criterion) {
    for framework in FRAMEWORKS {
        let world = World::new(128, Argon2Params::insecure_fast(), 1);
        let app = App::start(framework, &world.sakms);
        for connections in CONNECTIONS {
            let keys = (0..connections).map(|number| world.text(number).expose().to_owned());
            let mut load = Load::connect(app.address, keys);
            let block = Duration::from_millis(100);
            // Every key is proven, and every connection has been used.
            load.run(GUARDED, block);
            load.run(BARE, block);
            let rounds = if connections == GOAL_AT {
                run.either(40, 200)
            } else {
                run.either(10, 40)
            };
            let layered = framework == "axum" && connections == GOAL_AT;
            if layered {
                load.run(LAYERED, block);
            }
            let load = std::cell::RefCell::new(load);
            let turns = in_turns(
                rounds,
                || load.borrow_mut().run(GUARDED, block),
                || load.borrow_mut().run(BARE, block),
            );
            let id = |what: &str| format!("http/{framework}-{what}/{connections}");
            run.tell(&id("guarded"), Unit::PerSecond, turns.first(), None);
            run.tell(&id("bare"), Unit::PerSecond, turns.second(), None);
            let goal = (connections == GOAL_AT).then_some(Goal::AtLeast(0.95));
            run.tell(&id("guarded-over-bare"), Unit::Ratio, turns.ratio(), goal);
            if layered {
                // How much of it is the framework's price of a layer.
                let turns = in_turns(
                    rounds,
                    || load.borrow_mut().run(LAYERED, block),
                    || load.borrow_mut().run(BARE, block),
                );
                run.tell(&id("layer-over-bare"), Unit::Ratio, turns.ratio(), None);
            }
        }
    }
}
