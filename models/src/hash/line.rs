//! Nobody in the line in front of the hashing threads is forgotten, done twice, or let in where there is no room.

use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::sync::{Arc, Condvar, Mutex};
use loom::thread::{self, JoinHandle};

use super::HashError;
use super::arena::Arena;
use super::queue::{Job, Queue, Ticket};

/// How many jobs were done, for whoever waits for them. Where a wake-up was lost, loom finds that nobody goes on.
struct Done {
    count: Mutex<usize>,
    changed: Condvar,
}

impl Done {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            count: Mutex::new(0),
            changed: Condvar::new(),
        })
    }

    fn add(&self) {
        *self.count.lock().unwrap() += 1;
        self.changed.notify_one();
    }

    fn wait_for(&self, wanted: usize) {
        let mut count = self.count.lock().unwrap();
        while *count < wanted {
            count = self.changed.wait(count).unwrap();
        }
    }
}

/// Every order with at most so many switches that a thread does not make by itself: a lock and a condition more make all of
/// them too many to try.
fn explore(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(model);
}

/// What a hashing thread does.
fn serve(queue: &Arc<Queue>) -> JoinHandle<()> {
    let queue = Arc::clone(queue);
    thread::spawn(move || {
        while let Some(job) = queue.pop() {
            (job.run)(&mut Arena);
        }
    })
}

fn job(ticket: Ticket, work: impl FnOnce() + Send + 'static) -> Job {
    let run = Box::new(move |_: &mut Arena| work());
    Job { ticket, run }
}

fn push(queue: &Queue, done: &Arc<Done>) -> Result<(), HashError> {
    let done = Arc::clone(done);
    queue.push(move || job(Ticket::default(), move || done.add()))
}

#[test]
fn every_job_that_was_taken_in_is_done() {
    explore(|| {
        let (queue, done) = (Arc::new(Queue::new(2)), Done::new());
        let thread = serve(&queue);
        let other = {
            let (queue, done) = (Arc::clone(&queue), Arc::clone(&done));
            thread::spawn(move || push(&queue, &done).unwrap())
        };
        push(&queue, &done).unwrap();
        done.wait_for(2);
        other.join().unwrap();
        queue.close();
        thread.join().unwrap();
        assert_eq!((queue.waiting(), queue.shed_count()), (0, 0));
    });
}

#[test]
fn two_threads_share_one_line() {
    explore(|| {
        let (queue, done) = (Arc::new(Queue::new(2)), Done::new());
        let threads = [serve(&queue), serve(&queue)];
        push(&queue, &done).unwrap();
        done.wait_for(1);
        queue.close();
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

#[test]
fn a_job_is_begun_or_given_up_and_never_both() {
    explore(|| {
        let (queue, begun) = (Arc::new(Queue::new(1)), Arc::new(AtomicUsize::new(0)));
        let thread = serve(&queue);
        let ticket = Ticket::default();
        let counted = Arc::clone(&begun);
        let count = move || {
            counted.fetch_add(1, Ordering::SeqCst);
        };
        queue.push(|| job(ticket.clone(), count)).unwrap();
        let given_up = ticket.claim();
        queue.close();
        thread.join().unwrap();
        let begun = begun.load(Ordering::SeqCst);
        assert!(begun <= usize::from(!given_up), "begun for nobody");
    });
}

#[test]
fn of_two_for_one_place_one_is_sent_away() {
    explore(|| {
        let (queue, done) = (Arc::new(Queue::new(1)), Done::new());
        let other = {
            let (queue, done) = (Arc::clone(&queue), Arc::clone(&done));
            thread::spawn(move || push(&queue, &done).is_ok())
        };
        let here = push(&queue, &done).is_ok();
        let there = other.join().unwrap();
        assert!(here != there, "both, or neither");
        assert_eq!((queue.waiting(), queue.shed_count()), (1, 1));
    });
}

#[test]
fn whoever_has_left_keeps_nobody_out() {
    explore(|| {
        let (queue, done) = (Arc::new(Queue::new(1)), Done::new());
        let ticket = Ticket::default();
        queue.push(|| job(ticket.clone(), || ())).unwrap();
        let leaving = thread::spawn(move || ticket.claim());
        let taken = push(&queue, &done);
        assert!(leaving.join().unwrap());
        // Beside the leaving either may be first; after it there is room.
        assert!(taken.is_ok() || push(&queue, &done).is_ok());
    });
}

#[test]
fn whoever_asks_for_room_takes_none() {
    explore(|| {
        let (queue, done) = (Arc::new(Queue::new(1)), Done::new());
        let asking = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || queue.check_room().is_err())
        };
        assert!(push(&queue, &done).is_ok());
        let sent_away = u64::from(asking.join().unwrap());
        assert_eq!((queue.waiting(), queue.shed_count()), (1, sent_away));
    });
}

#[test]
fn every_thread_is_sent_home() {
    explore(|| {
        let (queue, done) = (Arc::new(Queue::new(1)), Done::new());
        let threads = [serve(&queue), serve(&queue)];
        push(&queue, &done).unwrap();
        queue.close();
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(queue.waiting(), 0);
    });
}

/// That the model can fail at all: a job that waits when the line is closed is never done.
#[test]
#[should_panic(expected = "not done")]
fn a_job_that_is_dropped_is_found_out() {
    explore(|| {
        let (queue, begun) = (Arc::new(Queue::new(1)), Arc::new(AtomicUsize::new(0)));
        let thread = serve(&queue);
        let counted = Arc::clone(&begun);
        let count = move || {
            counted.fetch_add(1, Ordering::SeqCst);
        };
        queue.push(|| job(Ticket::default(), count)).unwrap();
        queue.close();
        thread.join().unwrap();
        assert_eq!(begun.load(Ordering::SeqCst), 1, "not done");
    });
}
