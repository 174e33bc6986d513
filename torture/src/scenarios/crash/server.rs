//! `kill -9` of the server.

use super::{Crowd, Plan};
use crate::figure::Figure;
use crate::harness::ledger::Ledger;
use crate::harness::mariadbd::MariaDb;
use crate::harness::site::Site;
use crate::run::Run;

impl Plan {
    /// The server is killed 150 times on each database.
    #[must_use]
    pub const fn long() -> Self {
        Self {
            kills: 150,
            operations: 50_000,
            clients: 8,
            verify: 25,
        }
    }

    /// The server is killed 10 times on each database.
    #[must_use]
    pub const fn short() -> Self {
        Self {
            kills: 10,
            operations: 120,
            clients: 3,
            verify: 10,
        }
    }
}

/// Kills the server on SQLite and on MariaDB, and compares what it acknowledged with what is there.
#[must_use]
pub fn run(run: &Run, plan: Plan) -> Vec<Figure> {
    let folder = tempfile::tempdir().unwrap();
    let mut figures = on(&run.share(2), "SQLite", plan, Site::new(folder.path()));
    if let Some(database) = MariaDb::start() {
        let folder = tempfile::tempdir().unwrap();
        let site = Site::new(folder.path()).with("SAKMS_DATABASE_URL", database.url());
        figures.extend(on(&run.share(2), "MariaDB", plan, site));
    }
    figures
}

fn on(run: &Run, place: &'static str, plan: Plan, mut site: Site) -> Vec<Figure> {
    let mut server = site.start();
    let ledger = Ledger::create(&site.folder().join("ledger"));
    let mut crowd = Crowd::register(run, place, plan, &server, ledger);
    let mut turn = 0;
    while crowd.goes_on(run) {
        crowd.until_a_kill(|| server.kill());
        crowd.look_through(&server.log());
        turn += 1;
        site.turn(turn);
        server = site.start();
        crowd.settle(&server, true);
        if crowd.is_to_verify() {
            crowd.chain(site.chain_holds());
        }
        run.progress(|| {
            format!(
                "{place}: {} kills, {} acknowledged",
                crowd.kills,
                crowd.ledger.events()
            )
        });
    }
    crowd.compare_all();
    crowd.chain(site.chain_holds());
    crowd.look_through(&server.log());
    crowd.figures("kills of the server")
}
