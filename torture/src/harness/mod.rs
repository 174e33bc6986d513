//! What scenarios, and the tests of the bundled server, are made with: the server and MariaDB as processes, and a client that
//! sends exactly the bytes it is given.

pub mod access;
pub mod canaries;
pub mod client;
pub mod connection;
pub mod forwarder;
pub mod galera;
pub mod haproxy;
pub mod history;
pub mod mariadbd;
pub mod node;
pub mod person;
pub mod program;
pub mod server;
