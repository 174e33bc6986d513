//! What it costs to read on one node what was committed on another, and what it costs not to wait for it (`wsrep_sync_wait`).

use std::time::{Duration, Instant};

use sqlx::{Connection as _, MySqlConnection, Row as _, raw_sql};

use crate::figure::Figure;
use crate::harness::galera::Galera;

/// Changes on one node, each followed by a reading on the other.
const READINGS: usize = 1_000;

/// Compares a node that waits until it has applied what was committed, as the stores ask it to, with one that does not.
pub(super) fn figures(galera: &Galera) -> Vec<Figure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (here, there) = (galera.url(0), galera.url(1));
    let both = [
        ("without", "SET SESSION wsrep_sync_wait = 0"),
        ("with", "SET SESSION wsrep_sync_wait = 1"),
    ];
    let figures = both.map(|(how, setting)| {
        let read = runtime.block_on(read(&here, &there, setting)).unwrap();
        let what = |what: &str| {
            format!("{what} on one node at once after a commit on another, {how} waiting")
        };
        let older = what(&format!("older answers of {READINGS} readings"));
        [
            Figure::plain(
                what("median time of a reading"),
                format!("{} µs", read.median.as_micros()),
            ),
            if how == "with" {
                Figure::never(older, read.older)
            } else {
                Figure::plain(older, read.older)
            },
        ]
    });
    figures.into_iter().flatten().collect()
}

struct Read {
    median: Duration,
    older: u64,
}

async fn read(here: &str, there: &str, setting: &'static str) -> Result<Read, sqlx::Error> {
    let mut writer = MySqlConnection::connect(here).await?;
    let mut reader = MySqlConnection::connect(there).await?;
    for text in [
        "CREATE TABLE IF NOT EXISTS torture_count (id INT PRIMARY KEY, count BIGINT NOT NULL)",
        "REPLACE INTO torture_count VALUES (1, 0)",
    ] {
        raw_sql(text).execute(&mut writer).await?;
    }
    // The table itself has to be there before anybody looks into it.
    for text in [
        "SET SESSION wsrep_sync_wait = 1",
        "SELECT * FROM torture_count",
        setting,
    ] {
        raw_sql(text).execute(&mut reader).await?;
    }
    let (mut times, mut older, mut wanted) = (Vec::new(), 0, 0_i64);
    while times.len() < READINGS {
        raw_sql("UPDATE torture_count SET count = count + 1 WHERE id = 1")
            .execute(&mut writer)
            .await?;
        wanted += 1;
        let start = Instant::now();
        let row = sqlx::query("SELECT count FROM torture_count WHERE id = 1")
            .fetch_optional(&mut reader)
            .await?;
        times.push(start.elapsed());
        // The row itself may not have come yet.
        let seen = row.map_or(Ok(0), |row| row.try_get::<i64, _>(0))?;
        older += u64::from(seen != wanted);
    }
    raw_sql("DROP TABLE torture_count")
        .execute(&mut writer)
        .await?;
    times.sort_unstable();
    Ok(Read {
        median: times[READINGS / 2],
        older,
    })
}
