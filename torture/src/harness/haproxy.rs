//! `HAProxy` in front of a cluster, with the very files that `docs/cluster.md` shows.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sakms_core::testkit::needed;

use super::galera::{Galera, NODES};

const CONFIGURATION: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../docs/cluster/haproxy.cfg"
));
const CHECK: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../docs/cluster/galera-check.sh"
));

/// A proxy that runs until this is dropped.
#[derive(Debug)]
pub struct HaProxy {
    address: SocketAddr,
    child: Child,
    _folder: tempfile::TempDir,
}

impl HaProxy {
    /// A proxy in front of a cluster, or `None` after saying that it is left out.
    #[must_use]
    pub fn start(galera: &Galera) -> Option<Self> {
        let program = needed("haproxy", "SAKMS_TEST_HAPROXY")?;
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            path
        };
        let configuration = file("haproxy.cfg", CONFIGURATION);
        let check = file("galera-check.sh", CHECK);
        fs::set_permissions(&check, fs::Permissions::from_mode(0o755)).unwrap();
        file(
            "galera-check.cnf",
            "[client]\nuser=probe\npassword=hush-canary\n",
        );
        let mut command = Command::new(program);
        command
            .arg("-db")
            .arg("-f")
            .arg(configuration)
            .env("SAKMS_DB_LISTEN", address.to_string())
            .env("SAKMS_DB_CHECK", check)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        for node in 0..NODES {
            let port = galera.port(node);
            command.env(
                format!("SAKMS_DB_{}", node + 1),
                format!("127.0.0.1:{port}"),
            );
        }
        let proxy = Self {
            address,
            child: command.spawn().unwrap(),
            _folder: folder,
        };
        let start = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(
                start.elapsed() < Duration::from_secs(30),
                "HAProxy does not listen"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(proxy)
    }

    /// Where the writer is.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.address.port()
    }
}

impl Drop for HaProxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_the_files_that_are_run() {
        let page = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/cluster.md"));
        for file in [CONFIGURATION, CHECK] {
            assert!(page.contains(file), "{file}");
        }
    }
}
