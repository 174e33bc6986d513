//! What a long life brings: restarts, clocks that jump, disks that fill, migrations that are cut short.

pub mod clock;
pub mod disk;
pub mod schema;
pub mod stop;

use crate::figure::Figure;
use crate::run::Run;

/// All parts at length, one after another.
#[must_use]
pub fn run(run: &Run) -> Vec<Figure> {
    let mut figures = stop::run(&run.share(4), stop::Plan::long());
    figures.extend(clock::run(&run.share(4), clock::Plan::long()));
    figures.extend(disk::run(&run.share(4), disk::Plan::long()));
    figures.extend(schema::run(&run.share(4), schema::Plan::long()));
    figures
}
