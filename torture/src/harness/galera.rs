//! A Galera cluster of three nodes on loopback, which a scenario may kill, stop and part.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sakms_core::testkit::needed;
use sqlx::{Connection as _, Row as _};

use super::mariadbd::{install, is_root, succeed};

/// How many nodes there are.
pub const NODES: usize = 3;
/// How long a node may take until it has joined: it receives all the data of another.
const JOINING: Duration = Duration::from_mins(1);

/// Three nodes that run until this is dropped.
#[derive(Debug)]
pub struct Galera {
    daemon: PathBuf,
    nodes: Vec<Node>,
    folder: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
}

#[derive(Debug)]
struct Node {
    port: u16,
    folder: PathBuf,
    running: Option<Child>,
}

impl Galera {
    /// A cluster that is set up and whole, or `None` after saying that the test is skipped.
    #[must_use]
    pub fn start() -> Option<Self> {
        let daemon = PathBuf::from(needed("mariadb", "SAKMS_TEST_MARIADBD")?);
        let provider = needed("galera", "SAKMS_TEST_GALERA")?;
        let folder = tempfile::tempdir().unwrap();
        // All at once, so that none is given twice.
        let listeners: Vec<_> = (0..NODES * 4)
            .map(|_| TcpListener::bind("127.0.0.1:0").unwrap())
            .collect();
        let ports: Vec<_> = listeners
            .iter()
            .map(|listener| listener.local_addr().unwrap().port())
            .collect();
        drop(listeners);
        let ports: Vec<[u16; 4]> = ports
            .chunks_exact(4)
            .map(|chunk| chunk.try_into().unwrap())
            .collect();
        let group = ports
            .iter()
            .map(|[_, group, ..]| format!("127.0.0.1:{group}"));
        let group = group.collect::<Vec<_>>().join(",");
        let nodes = ports.iter().enumerate().map(|(number, ports)| {
            let node = Node {
                port: ports[0],
                folder: folder.path().join(format!("n{number}")),
                running: None,
            };
            node.set_up(&provider, &group, *ports);
            node
        });
        let nodes = nodes.collect();
        let mut cluster = Self {
            daemon,
            nodes,
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap(),
            folder,
        };
        if is_root() {
            let all = cluster.folder.path();
            succeed(Command::new("chown").args(["-R", "mysql"]).arg(all));
        }
        // The others receive what the first has.
        install(&cluster.daemon, &cluster.nodes[0].folder.join("my.cnf"));
        cluster.run(0, &["--wsrep-new-cluster"]);
        cluster.wait_for(0);
        for node in 1..NODES {
            cluster.run(node, &[]);
        }
        for node in 1..NODES {
            cluster.wait_for(node);
        }
        Some(cluster)
    }

    /// Where a node listens for clients.
    #[must_use]
    pub fn port(&self, node: usize) -> u16 {
        self.nodes[node].port
    }

    /// A node, with the name and the password of an account.
    #[must_use]
    pub fn url(&self, node: usize) -> String {
        url(self.nodes[node].port)
    }

    /// Ends a node as a crash would.
    pub fn kill(&mut self, node: usize) {
        if let Some(mut child) = self.nodes[node].running.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Starts a node again, without waiting for it.
    pub fn restart(&mut self, node: usize) {
        self.run(node, &[]);
    }

    /// Sends a signal by name.
    pub fn signal(&self, node: usize, name: &str) {
        let child = self.nodes[node].running.as_ref().unwrap();
        succeed(Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]));
    }

    /// Parts a node from the others, or lets it back. Its clients still reach it.
    pub fn isolate(&self, node: usize, apart: bool) {
        let text = if apart {
            "SET GLOBAL wsrep_provider_options = 'gmcast.isolate=1'"
        } else {
            "SET GLOBAL wsrep_provider_options = 'gmcast.isolate=0'"
        };
        self.ask(node, text).unwrap();
    }

    /// Whether a node says that it belongs to the majority and is up to date.
    #[must_use]
    pub fn is_synced(&self, node: usize) -> bool {
        let is = |name, wanted: &str| self.status(node, name).is_some_and(|value| value == wanted);
        is("wsrep_ready", "ON") && is("wsrep_local_state", "4")
    }

    /// Whether a node says that it is outside of the majority.
    #[must_use]
    pub fn is_outside(&self, node: usize) -> bool {
        self.status(node, "wsrep_cluster_status")
            .is_some_and(|value| value != "Primary")
    }

    /// Waits until a node is synced.
    pub fn wait_for(&self, node: usize) {
        let start = Instant::now();
        while !self.is_synced(node) {
            let log = || self.nodes[node].log();
            assert!(
                start.elapsed() < JOINING,
                "node {node} does not join:\n{}",
                log()
            );
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// After all nodes have died: begins a new cluster with the one that has most, and has the others join it.
    pub fn recover(&mut self) {
        let places: Vec<_> = (0..NODES).map(|node| self.recovered(node)).collect();
        let first = (0..NODES).max_by_key(|node| places[*node]).unwrap_or(0);
        let state = self.nodes[first].folder.join("data/grastate.dat");
        let text = fs::read_to_string(&state).unwrap();
        let text = text.replace("safe_to_bootstrap: 0", "safe_to_bootstrap: 1");
        fs::write(state, text).unwrap();
        self.run(first, &["--wsrep-new-cluster"]);
        self.wait_for(first);
        for node in (0..NODES).filter(|node| *node != first) {
            self.run(node, &[]);
            self.wait_for(node);
        }
    }

    /// How far a dead node had got.
    fn recovered(&self, node: usize) -> i64 {
        let output = self.command(node).arg("--wsrep-recover").output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned() + &self.nodes[node].log();
        let place = said.lines().rev().find_map(|line| {
            let (_, place) = line.split_once("Recovered position: ")?;
            place.rsplit_once(':')?.1.trim().parse().ok()
        });
        place.unwrap_or_else(|| panic!("no position:\n{said}"))
    }

    fn command(&self, node: usize) -> Command {
        let mut command = Command::new(&self.daemon);
        let defaults = self.nodes[node].folder.join("my.cnf");
        command.arg(format!("--defaults-file={}", defaults.display()));
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    fn run(&mut self, node: usize, arguments: &[&str]) {
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.nodes[node].folder.join("log"));
        let child = self
            .command(node)
            .args(arguments)
            .stderr(log.unwrap())
            .spawn();
        self.nodes[node].running = Some(child.unwrap());
    }

    fn status(&self, node: usize, name: &str) -> Option<String> {
        let all = self.ask(node, "SHOW STATUS LIKE 'wsrep_%'").ok()?;
        let found = all.into_iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value)
    }

    fn ask(&self, node: usize, text: &'static str) -> Result<Vec<(String, String)>, sqlx::Error> {
        let url = format!(
            "mysql://probe:hush-canary@127.0.0.1:{}/sakms",
            self.nodes[node].port
        );
        let asking = async {
            let mut connection = sqlx::MySqlConnection::connect(&url).await?;
            let rows = sqlx::raw_sql(text).fetch_all(&mut connection).await?;
            let pair = |row: &sqlx::mysql::MySqlRow| {
                Ok((row.try_get_unchecked(0)?, row.try_get_unchecked(1)?))
            };
            rows.iter().map(pair).collect()
        };
        let limited = async { tokio::time::timeout(Duration::from_secs(3), asking).await };
        let answer = self.runtime.block_on(limited);
        answer.unwrap_or(Err(sqlx::Error::PoolTimedOut))
    }
}

/// A database on this port, with the name and the password of an account.
#[must_use]
pub fn url(port: u16) -> String {
    format!("mysql://sakms:hush-canary@127.0.0.1:{port}/sakms")
}

impl Node {
    fn set_up(&self, provider: &str, cluster: &str, [port, group, ist, sst]: [u16; 4]) {
        let folder = self.folder.display();
        let user = if is_root() { "user=mysql\n" } else { "" };
        // Timeouts shorter than usual: the group notices within two seconds that a node is gone.
        let defaults = format!(
            "[mariadbd]\n{user}datadir={folder}/data\nsocket={folder}/socket\npid-file={folder}/pid\ntmpdir={folder}/tmp\n\
             port={port}\nbind-address=127.0.0.1\nskip-name-resolve\ninnodb_buffer_pool_size=32M\n\
             init-file={folder}/init.sql\n\
             binlog_format=ROW\ndefault_storage_engine=InnoDB\ninnodb_autoinc_lock_mode=2\n\
             wsrep_on=ON\nwsrep_provider={provider}\nwsrep_cluster_name=sakms\nwsrep_cluster_address=gcomm://{cluster}\n\
             wsrep_node_address=127.0.0.1:{group}\nwsrep_node_incoming_address=127.0.0.1:{port}\n\
             wsrep_sst_method=rsync\nwsrep_sst_receive_address=127.0.0.1:{sst}\n\
             wsrep_provider_options=base_host=127.0.0.1;base_port={group};gmcast.listen_addr=tcp://127.0.0.1:{group};\
             ist.recv_addr=127.0.0.1:{ist};gcache.size=32M;evs.suspect_timeout=PT2S;evs.inactive_timeout=PT4S;\
             evs.inactive_check_period=PT0.5S;evs.keepalive_period=PT0.5S\n"
        );
        let users = "CREATE DATABASE IF NOT EXISTS sakms;\n\
                     CREATE USER IF NOT EXISTS sakms@'127.0.0.1' IDENTIFIED BY 'hush-canary';\n\
                     GRANT ALL ON sakms.* TO sakms@'127.0.0.1';\n\
                     CREATE USER IF NOT EXISTS probe@'127.0.0.1' IDENTIFIED BY 'hush-canary';\n\
                     GRANT ALL ON *.* TO probe@'127.0.0.1';\n";
        for name in ["data", "tmp"] {
            fs::create_dir_all(self.folder.join(name)).unwrap();
        }
        // The first has them; the others receive them.
        let users = if self.folder.ends_with("n0") {
            users
        } else {
            ""
        };
        write(&self.folder, "init.sql", users);
        write(&self.folder, "my.cnf", &defaults);
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

fn write(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).unwrap();
}

impl Drop for Galera {
    fn drop(&mut self) {
        for node in 0..NODES {
            if let Some(mut child) = self.nodes[node].running.take() {
                let _ = child.kill();
                let _ = child.wait();
            }
        }
    }
}
