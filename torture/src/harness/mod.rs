//! What scenarios, and the tests of the bundled server, are made with: the server and MariaDB as processes, and a client that
//! sends exactly the bytes it is given.

pub mod access;
pub mod canaries;
pub mod client;
pub mod connection;
pub mod crowd;
pub mod findings;
pub mod forge;
pub mod forwarder;
pub mod galera;
pub mod haproxy;
pub mod history;
pub mod holder;
pub mod ledger;
pub mod link;
pub mod loris;
pub mod mariadbd;
pub mod metrics;
pub mod node;
pub mod person;
pub mod process;
pub mod program;
pub mod proxy;
pub mod server;
pub mod setup;
pub mod site;
pub mod small_disk;
pub mod standstill;
pub mod strace;
