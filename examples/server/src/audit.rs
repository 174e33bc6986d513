//! The journal on the command line: whether its chain holds, and a copy of it that can be checked elsewhere.
//!
//! `docs/audit.md` says what is written.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use sakms_core::journal::{JournalHead, JournalRow};
use sakms_core::service::{JournalProgress, JournalWalk};
use sakms_core::verdict::Verdict;
use serde_json::json;

use crate::config::{AuditCommand, Settings};
use crate::database;
use crate::error::Failure;

/// After how many rows it is said how far it is.
const TOLD_EVERY: u64 = 100_000;

pub(crate) async fn run(settings: &Settings, command: &AuditCommand) -> Result<(), Failure> {
    let store = database::existing(&settings.database).await?.keys();
    match command {
        AuditCommand::Verify { head } => {
            let found = JournalWalk::verify(store.as_ref(), *head, progress()).await;
            match found.map_err(unreadable)? {
                Verdict::Granted(head) => {
                    say(&format!(
                        "{} rows, the chain is whole; head {head}",
                        head.seq
                    ));
                    Ok(())
                }
                Verdict::Denied(flaw) => {
                    Err(Failure::plain(format!("the journal is broken: {flaw}")))
                }
            }
        }
        AuditCommand::Export { output } => {
            let walk = JournalWalk::begin(store.as_ref())
                .await
                .map_err(unreadable)?;
            match output {
                Some(path) => {
                    let file = create(path)?;
                    let mut out = BufWriter::new(file);
                    export(walk, &mut out).await?;
                    let file = out.into_inner().map_err(|error| unwritten(error.error()))?;
                    file.sync_all().map_err(|error| unwritten(&error))
                }
                None => export(walk, &mut BufWriter::new(io::stdout())).await,
            }
        }
    }
}

fn create(path: &Path) -> Result<File, Failure> {
    // Somebody's earlier export is evidence.
    File::create_new(path).map_err(|error| Failure::new(&path.display().to_string(), &error))
}

/// Says how far a long check is.
fn progress() -> impl FnMut(JournalProgress) + Send {
    let mut told = 0;
    move |JournalProgress { checked, end, .. }| {
        if checked.get() / TOLD_EVERY > told {
            told = checked.get() / TOLD_EVERY;
            tracing::info!(%checked, %end, "the journal is being checked");
        }
    }
}

async fn export(mut walk: JournalWalk<'_>, out: &mut (impl Write + Send)) -> Result<(), Failure> {
    while let Some(rows) = walk.next_rows().await.map_err(unreadable)? {
        for row in &rows {
            writeln!(out, "{}", line(row)).map_err(|error| unwritten(&error))?;
        }
    }
    let JournalHead { seq, chain, .. } = walk.head();
    let head = json!({"head": {"seq": seq.get(), "chain": chain.to_string()}});
    writeln!(out, "{head}").map_err(|error| unwritten(&error))?;
    out.flush().map_err(|error| unwritten(&error))
}

/// A row with everything that its hash is made of.
fn line(row: &JournalRow) -> serde_json::Value {
    let entry = &row.entry;
    json!({
        "seq": row.seq.get(),
        "id": entry.id.to_string(),
        "at": entry.at.to_string(),
        "at_micros": entry.at.as_micros(),
        "actor": entry.actor.as_str(),
        "action": entry.action.as_str(),
        "subject": entry.subject.as_str(),
        "detail": entry.detail,
        "chain": row.chain.to_string(),
    })
}

fn unreadable(error: impl std::error::Error) -> Failure {
    Failure::new("the journal could not be read", &error)
}

fn unwritten(error: &io::Error) -> Failure {
    Failure::new("the export could not be written", error)
}

#[expect(clippy::print_stdout, reason = "what the command was asked for")]
fn say(line: &str) {
    println!("{line}");
}
