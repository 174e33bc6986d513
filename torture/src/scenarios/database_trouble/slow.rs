//! Many management calls against a slow database, and what checks of known keys notice of it.

use std::time::Duration;

use super::Plan;
use super::world::World;
use crate::figure::Figure;
use crate::harness::crowd::{Crowd, request};
use crate::harness::proxy::Trouble;

const LATE: Duration = Duration::from_millis(200);
/// Who checks known keys: so many clients, each so often.
const PEOPLE: u32 = 8;
const PACE: Duration = Duration::from_millis(10);
/// Everybody who manages asks so often.
const CALL: Duration = Duration::from_secs(1);

pub(super) fn figures(world: &World, plan: &Plan) -> Vec<Figure> {
    let mut figures = Vec::new();
    let texts: Vec<_> = world.warm.iter().map(|key| key.text.clone()).collect();
    for (number, node) in world.nodes.iter().enumerate() {
        let framework = crate::harness::setup::FRAMEWORKS[number];
        let checks =
            || Crowd::checking(node.address(), PEOPLE, PACE, &texts).stop_after(plan.compared);
        let alone = checks();
        world.proxy.make(Trouble::Late(LATE));
        let create = request(
            "POST",
            "/keys",
            &[("Authorization", &world.owner.bearer)],
            "",
        );
        let calls = Crowd::start(node.address(), plan.calls, CALL, move |_| {
            Some(create.clone())
        });
        let beside = checks();
        let calls = calls.stop();
        world.proxy.make(Trouble::None);
        // Before and after: a machine is not as quiet at all times.
        let alone = alone.and(checks());
        let what = format!(
            "{framework}: 99 % of the checks of known keys, with {} management calls against a slow database",
            plan.calls
        );
        figures.push(beside.compared(&alone).figure(what, plan.timed));
        figures.push(Figure::plain(
            format!("{framework}: management calls made, refused"),
            format!("{}, {}", calls.of(201), calls.of(503)),
        ));
        figures.push(Figure::never(
            format!("{framework}: known keys that were not granted meanwhile"),
            alone.other_than(&[200]) + beside.other_than(&[200]),
        ));
        figures.push(Figure::never(
            format!("{framework}: management calls answered other than 201 and 503"),
            calls.other_than(&[201, 503]),
        ));
        figures.push(Figure::never(
            format!("{framework}: 503 without Retry-After"),
            calls.without_retry_after,
        ));
    }
    figures
}
