//! One who changes what a key opens, with others beside who check it meanwhile.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use super::Reach;
use super::found::Found;
use super::service::Service;
use crate::harness::client::Answer;
use crate::harness::connection::Connection;
use crate::harness::history::{Change, Check, History, Span};
use crate::harness::person::{Key, Person};

/// How access is taken away.
#[derive(Debug, Clone, Copy)]
enum Action {
    Revoke,
    Disable,
    Rotate,
    Narrow,
    DisableOwner,
}

const ACTIONS: [Action; 5] = [
    Action::Revoke,
    Action::Disable,
    Action::Rotate,
    Action::Narrow,
    Action::DisableOwner,
];

/// The route that every check asks for. It wants the scope that [`Action::Narrow`] takes away.
const ROUTE: &str = "/demo/reports";
const SCOPES: &str = r#"{"scopes": ["reports:read"]}"#;
/// How long anything is waited for that has to come.
const PATIENCE: Duration = Duration::from_mins(1);

/// Somebody with a key, changes and a node to send them to.
#[derive(Debug)]
pub struct Worker<'a> {
    service: &'a Service,
    /// The nodes that are watched, this worker's own first.
    watched: Vec<usize>,
    /// Between two checks of whoever checks beside: on all nodes so many that times mean something.
    pause: Duration,
    account: String,
    person: Person,
    random: fastrand::Rng,
    /// One to each watched node, and as many for whoever checks beside.
    own: Vec<Connection>,
    beside: Vec<Connection>,
    key: Option<Key>,
    /// What was counted.
    pub found: Found,
}

impl<'a> Worker<'a> {
    /// A worker with an account of its own.
    #[must_use]
    pub fn new(service: &'a Service, reach: Reach, number: usize, random: fastrand::Rng) -> Self {
        let addresses = service.addresses();
        let home = number % addresses.len();
        let (account, person) = service.register(home, &service.address());
        let others = (0..addresses.len()).filter(|node| *node != home);
        let watched: Vec<_> = match reach {
            Reach::Home => vec![home],
            Reach::Everywhere => std::iter::once(home).chain(others).collect(),
        };
        let connect = || {
            let to = watched.iter().map(|node| Connection::to(addresses[*node]));
            to.collect()
        };
        Self {
            own: connect(),
            beside: connect(),
            service,
            watched,
            pause: match reach {
                Reach::Home => Duration::from_millis(3),
                Reach::Everywhere => Duration::from_millis(4),
            },
            account,
            person,
            random,
            key: None,
            found: Found::default(),
        }
    }

    /// Takes access away in one of the ways while others check, looks what became of it, and gives it back where that can be.
    pub fn round(&mut self) {
        let action = ACTIONS[self.random.usize(..ACTIONS.len())];
        let Some(key) = self.key.take().or_else(|| self.make_key()) else {
            // Whoever is told to come back later does so later.
            std::thread::sleep(Duration::from_millis(50));
            return;
        };
        let mut history = History::beginning(true);
        if !self.wait_until(&mut history, &key, true) {
            self.found.undecided += 1;
            return;
        }
        // What was asked before the key was known everywhere says nothing about this round.
        history.checks.clear();
        let next = self.take_away(action, &key, &mut history);
        let acknowledged = history
            .changes
            .last()
            .is_some_and(|last| last.acknowledged.is_some());
        if acknowledged && self.give_back(action, &key, next, &mut history) {
            // Whoever begins with this key finds it known everywhere.
            self.wait_until(&mut history, &key, true);
        } else if matches!(action, Action::DisableOwner) {
            self.enable_owner();
        }
        self.found
            .judge(&history, self.watched[0], self.service.bound);
    }

    fn take_away(&mut self, action: Action, key: &Key, history: &mut History) -> Option<Key> {
        let (begun, pause) = (self.service.begun, self.pause);
        let over = AtomicBool::new(false);
        let (watched, mut beside) = (self.watched.clone(), std::mem::take(&mut self.beside));
        let mut racing = History::default();
        let mut racing_found = Found::default();
        let (mut next, mut settled) = (None, false);
        std::thread::scope(|scope| {
            let (over, racing, racing_found, beside) =
                (&over, &mut racing, &mut racing_found, &mut beside);
            scope.spawn(move || {
                for turn in 0.. {
                    if over.load(Ordering::SeqCst) {
                        break;
                    }
                    // The worker's own node every second time: there the races are.
                    let place = if turn % 2 == 0 {
                        0
                    } else {
                        turn / 2 % watched.len()
                    };
                    let check = ask(begun, &mut beside[place], watched[place], key);
                    keep(racing, racing_found, &check);
                    std::thread::sleep(pause);
                }
            });
            let stop = Stop(over);
            next = self.change(action, key, history);
            if history
                .changes
                .last()
                .is_some_and(|last| last.acknowledged.is_some())
            {
                self.look(0, history, key);
                settled = self.wait_until(history, key, false);
            }
            drop(stop);
        });
        self.beside = beside;
        history.checks.append(&mut racing.checks);
        self.found.add(&racing_found);
        // Whoever was still at it when access was taken away has ended: what it left behind is looked for.
        if settled {
            for place in 0..self.own.len() {
                let granted = self.look(place, history, key);
                self.found.came_back += u64::from(granted == Some(true));
            }
            self.compare_record(action, key);
        }
        next
    }

    /// Makes the change; gives the key as it is afterwards where it has another text.
    fn change(&mut self, action: Action, key: &Key, history: &mut History) -> Option<Key> {
        let id = &key.id;
        let (target, body) = match action {
            Action::Revoke => (format!("/keys/{id}/revoke"), ""),
            Action::Disable => (format!("/keys/{id}/disable"), ""),
            Action::Rotate => (format!("/keys/{id}/rotate"), r#"{"overlap_seconds": 0}"#),
            Action::Narrow => (format!("/keys/{id}"), r#"{"scopes": []}"#),
            Action::DisableOwner => (format!("/accounts/{}/disable", self.account), ""),
        };
        let method = if matches!(action, Action::Narrow) {
            "PATCH"
        } else {
            "POST"
        };
        let by_admin = matches!(action, Action::DisableOwner);
        let answer = self.send(by_admin, method, &target, body, false, history)?;
        matches!(action, Action::Rotate).then(|| Key {
            id: key.id.clone(),
            text: answer.text("api_key"),
        })
    }

    /// Gives access back where that can be done, and keeps the key for the next round. Says whether it is the same text.
    fn give_back(
        &mut self,
        action: Action,
        key: &Key,
        next: Option<Key>,
        history: &mut History,
    ) -> bool {
        let id = &key.id;
        let account = &self.account;
        let (by_admin, method, target, body) = match action {
            Action::Revoke => return false,
            Action::Rotate => {
                self.key = next;
                return false;
            }
            Action::Disable => (false, "POST", format!("/keys/{id}/enable"), ""),
            Action::Narrow => (false, "PATCH", format!("/keys/{id}"), SCOPES),
            Action::DisableOwner => (true, "POST", format!("/accounts/{account}/enable"), ""),
        };
        if self
            .send(by_admin, method, &target, body, true, history)
            .is_none()
        {
            return false;
        }
        self.look(0, history, key);
        self.key = Some(key.clone());
        true
    }

    /// Sends a change and takes note of it.
    fn send(
        &mut self,
        by_admin: bool,
        method: &str,
        target: &str,
        body: &str,
        opens: bool,
        history: &mut History,
    ) -> Option<Answer> {
        let who = if by_admin {
            &self.service.admin
        } else {
            &self.person
        };
        let headers = [("Authorization", &*who.bearer)];
        let begin = self.service.begun.elapsed();
        let answer = self.own[0].ask(method, target, &headers, body);
        let end = self.service.begun.elapsed();
        let answer = answer.ok().filter(|answer| {
            if !matches!(answer.status, 200 | 201 | 503) {
                self.found.odd(&format!("{method} {target}"), answer);
            }
            answer.status < 300
        });
        let acknowledged = answer.is_some().then_some(end);
        self.found.acknowledged += u64::from(answer.is_some());
        self.found.unacknowledged += u64::from(answer.is_none());
        history.changes.push(Change {
            begin,
            acknowledged,
            opens,
        });
        answer
    }

    /// After nobody knows whether the account is disabled: somebody who is does nothing more.
    fn enable_owner(&mut self) {
        let target = format!("/accounts/{}/enable", self.account);
        let begun = Instant::now();
        let enabled = |worker: &mut Self| {
            let history = &mut History::default();
            worker
                .send(true, "POST", &target, "", true, history)
                .is_some()
        };
        while begun.elapsed() < PATIENCE && !enabled(self) {
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn make_key(&mut self) -> Option<Key> {
        // What nobody has yet has no history.
        let made = self.send(
            false,
            "POST",
            "/keys",
            SCOPES,
            true,
            &mut History::default(),
        )?;
        let key = Key {
            id: made.text("id"),
            text: made.text("api_key"),
        };
        if self.random.u8(..) < 8 {
            self.service.note(&key.text);
        }
        let mut history = History::beginning(true);
        self.look(0, &mut history, &key);
        self.found
            .judge(&history, self.watched[0], self.service.bound);
        Some(key)
    }

    /// Asks one of the watched nodes, after the last change was acknowledged.
    fn look(&mut self, place: usize, history: &mut History, key: &Key) -> Option<bool> {
        self.found.pairs += u64::from(place == 0);
        let check = ask(
            self.service.begun,
            &mut self.own[place],
            self.watched[place],
            key,
        );
        keep(history, &mut self.found, &check)
    }

    /// Asks the watched nodes until each has said so once.
    fn wait_until(&mut self, history: &mut History, key: &Key, granted: bool) -> bool {
        let begun = Instant::now();
        let places = 0..self.own.len();
        places.into_iter().all(|place| {
            while self.look(place, history, key) != Some(granted) {
                if begun.elapsed() > PATIENCE {
                    return false;
                }
                std::thread::sleep(Duration::from_millis(4));
            }
            true
        })
    }

    /// What the database says of the key, by the node that reads it there.
    fn compare_record(&mut self, action: Action, key: &Key) {
        // Whose account is disabled asks for nothing; rotated secrets are compared by asking with them.
        let (field, expected) = match action {
            Action::Revoke => ("revoked", json!(true)),
            Action::Disable => ("disabled", json!(true)),
            Action::Narrow => ("scopes", json!([])),
            Action::Rotate | Action::DisableOwner => return,
        };
        let headers = [("Authorization", &*self.person.bearer)];
        let target = format!("/keys/{}", key.id);
        match self.own[0].ask("GET", &target, &headers, "") {
            Ok(answer) if answer.status == 200 => {
                self.found.kept_otherwise += u64::from(answer.json()[field] != expected);
            }
            _ => self.found.undecided += 1,
        }
    }
}

/// Ends the checks beside when it is dropped, also when whoever made them fails.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// What a check came to.
#[derive(Debug)]
pub enum Outcome {
    /// Yes or no.
    Decided(Check),
    /// 503, or no answer.
    Undecided,
    /// Anything else, the name of another key among it.
    Odd(Answer),
}

/// Asks a node with a key.
pub fn ask(clock: Instant, connection: &mut Connection, node: usize, key: &Key) -> Outcome {
    let begin = clock.elapsed();
    let answer = connection.ask("GET", ROUTE, &[("X-API-Key", &key.text)], "");
    let end = clock.elapsed();
    let granted = match answer {
        // Whose the key is that was seen, as the handler says it.
        Ok(answer) if answer.status == 200 && answer.body.contains(&key.id) => true,
        Ok(answer) if matches!(answer.status, 401 | 403) => false,
        Ok(answer) if answer.status != 503 => return Outcome::Odd(answer),
        Ok(_) | Err(_) => return Outcome::Undecided,
    };
    Outcome::Decided(Check {
        node,
        span: Span { begin, end },
        granted,
    })
}

/// Takes note of a check; gives what was decided.
pub fn keep(history: &mut History, found: &mut Found, outcome: &Outcome) -> Option<bool> {
    match outcome {
        Outcome::Decided(check) => {
            history.checks.push(*check);
            return Some(check.granted);
        }
        Outcome::Undecided => found.undecided += 1,
        Outcome::Odd(answer) => found.odd("a check", answer),
    }
    None
}
