use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::{env, fs};

/// Debian keeps the server's programs here, one folder per version, and not on the PATH.
const DEBIAN: &str = "/usr/lib/postgresql";

/// One of PostgreSQL's programs, to be run as a user that it agrees to run as.
pub fn program(name: &str) -> Command {
    let folders = env::var_os("PATH").map(|path| env::split_paths(&path).collect());
    let folders: Vec<PathBuf> = folders.unwrap_or_default();
    let found = debian()
        .into_iter()
        .chain(folders)
        .map(|folder| folder.join(name));
    let found = found.into_iter().find(|path| path.exists());
    let found = found.unwrap_or_else(|| {
        panic!("there is no {name}\nhint: scripts/setup --tests installs PostgreSQL")
    });
    let mut command = Command::new(found);
    if let Some((user, group)) = server_user() {
        command.uid(user).gid(group);
    }
    // Nothing of the caller's folder or settings is the server's business.
    command
        .current_dir("/")
        .env_remove("PGHOST")
        .env_remove("PGPORT");
    command
}

/// Its program folders, newest version first.
fn debian() -> Vec<PathBuf> {
    let versions = fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    let number = |path: &PathBuf| {
        let name = path.file_name()?.to_str()?;
        name.parse::<u32>().ok()
    };
    let mut versions: Vec<_> = versions.map(|entry| entry.path()).collect();
    versions.sort_by_key(|path| std::cmp::Reverse(number(path)));
    versions.into_iter().map(|path| path.join("bin")).collect()
}

/// Runs a program to its end and gives back what it printed.
pub fn run(command: &mut Command) -> String {
    let output = command.output().expect("it starts");
    assert!(
        output.status.success(),
        "{command:?} failed:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// User and group to run the server as, if we are root: PostgreSQL refuses that.
pub fn server_user() -> Option<(u32, u32)> {
    static USER: OnceLock<Option<(u32, u32)>> = OnceLock::new();
    *USER.get_or_init(|| rustix::process::getuid().is_root().then(postgres_user))
}

/// The user that the package makes for the server.
fn postgres_user() -> (u32, u32) {
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let of = |name: &str| {
        let line = users
            .lines()
            .find(|line| line.split(':').next() == Some(name))?;
        let mut ids = line.split(':').skip(2).map(str::parse);
        Some((ids.next()?.ok()?, ids.next()?.ok()?))
    };
    of("postgres")
        .or_else(|| of("nobody"))
        .expect("there is a nobody")
}
