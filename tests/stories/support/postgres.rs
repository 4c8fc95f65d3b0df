//! A PostgreSQL server of our own, started from its binaries in a temporary folder, as a user that is not root.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// A running server; stopped and removed with this value.
pub struct Postgres {
    folder: tempfile::TempDir,
    binaries: PathBuf,
}

impl Postgres {
    /// Starts a server that listens on a socket in its own folder only. Its own zone is far from ours on purpose.
    pub fn start() -> Self {
        let server = Self { folder: tempfile::tempdir().unwrap(), binaries: binaries() };
        if is_root() {
            run(Command::new("chown").arg("postgres").arg(server.folder.path()));
        }
        let data = server.data();
        server.call(
            "initdb",
            &["--no-sync", "-A", "trust", "-U", "test", "-E", "UTF8", "--locale=C", "-D", &data],
        );
        let socket = server.folder.path().display().to_string();
        let options = format!(
            "-c listen_addresses='' -c unix_socket_directories='{socket}' -c fsync=off -c timezone=America/New_York"
        );
        let log = format!("{socket}/log");
        server.call("pg_ctl", &["start", "-w", "-D", &data, "-l", &log, "-o", &options]);
        server
    }

    /// How to reach it.
    pub fn address(&self) -> String {
        let socket = self.folder.path().display().to_string().replace('/', "%2F");
        format!("postgres://test@{socket}/postgres")
    }

    /// Files of its tables in which a text stands; its write-ahead log keeps what it is told to.
    pub fn holding(&self, text: &str) -> Vec<String> {
        self.query("CHECKPOINT");
        crate::erase::holding(&self.folder.path().join("data/base"), text)
    }

    /// Runs a statement that answers nothing.
    pub fn query(&self, statement: &str) {
        let socket = self.folder.path().display().to_string();
        self.call("psql", &["-h", &socket, "-U", "test", "-c", statement, "postgres"]);
    }

    fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    fn call(&self, program: &str, arguments: &[&str]) {
        let program = self.binaries.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        run(command.args(arguments).current_dir(self.folder.path()));
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let data = self.data();
        self.call("pg_ctl", &["stop", "-m", "immediate", "-D", &data]);
    }
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// Debian's newest, or whatever is on the path.
fn binaries() -> PathBuf {
    let mut versions: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|found| found.filter_map(Result::ok).map(|entry| entry.path().join("bin")).collect())
        .unwrap_or_default();
    versions.retain(|folder| folder.join("initdb").exists());
    versions.sort();
    versions.pop().unwrap_or_else(|| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).find(|folder| Path::new(folder).join("initdb").exists()).expect(
            "PostgreSQL's server binaries are missing; scripts/test installs them (package postgresql)",
        )
    })
}

fn run(command: &mut Command) -> Output {
    let output = command.stdin(std::process::Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}
