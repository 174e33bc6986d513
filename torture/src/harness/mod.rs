//! What scenarios, and the tests of the bundled server, are made with: the server and MariaDB as processes, and a client that
//! sends exactly the bytes it is given.

pub mod canaries;
pub mod client;
pub mod findings;
pub mod holder;
pub mod ledger;
pub mod link;
pub mod crowd;
pub mod forge;
pub mod loris;
pub mod mariadbd;
pub mod metrics;
pub mod person;
pub mod proc;
pub mod process;
pub mod program;
pub mod proxy;
pub mod server;
pub mod site;
pub mod small_disk;
pub mod strace;
pub mod setup;
