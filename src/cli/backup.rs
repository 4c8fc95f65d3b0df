//! `tension-watch backup` and `tension-watch restore`: a copy of the database while it works, and the way back.

use super::{site::now, wrong};
use crate::{
    config::Config,
    store::{Contents, Store, copy_sqlite, is_new, looked_through, postgres_database, postgres_environment},
};
use anyhow::{Context, Result, bail};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, IsTerminal},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    process::Command,
};

/// Copy the database into a file, while the site works.
///
/// A copy holds everything that the database does. So it is only written where nobody else can read it; for any other place
/// write it to standard output and encrypt it on the way. SQLite is copied as of one instant; PostgreSQL by its own `pg_dump`.
/// The configuration, the rule files and the files of secrets are not in it: keep those beside it.
///
/// Example: tension-watch backup --out /var/backups/tension-watch/2026-06-30.db
///
/// Example: tension-watch backup --out - | age --recipient age1... > /mnt/share/2026-06-30.db.age
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The file, which must not be there yet; - for standard output.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Put a backup in place of the database.
///
/// Stop `serve` on every machine first. A SQLite database that is there is kept beside the new one; a PostgreSQL database must
/// be empty. What had not been sent when the backup was made is held, and so is all mail until the next night: it may have been
/// sent since. Look at it with `outbox list --state held`, release it with `outbox retry --all-held`. Everybody signs in once
/// more; tokens that were revoked since the backup have to be revoked again.
///
/// Example: tension-watch restore /var/backups/tension-watch/2026-06-30.db
#[derive(Debug, clap::Args)]
pub(super) struct RestoreArgs {
    /// What `backup` wrote, decrypted.
    file: PathBuf,
    /// A database is there already: put it aside.
    #[arg(long)]
    replace: bool,
}

pub(super) async fn run(config: PathBuf, args: Args) -> Result<()> {
    let config = Config::read(&config).map_err(wrong)?;
    let address = config.store_address();
    let piped = args.out.as_os_str() == "-";
    if piped && io::stdout().is_terminal() {
        return Err(wrong(
            "a backup is no text for a terminal; write `| age --recipient KEY > FILE` behind it, or name a file",
        ));
    }
    // What is piped is made beside the database first: both kinds are copied into files.
    let spool;
    let out = if piped {
        spool = private_folder(&address)?;
        spool.path().join("backup")
    } else {
        private(&args.out)?;
        args.out.clone()
    };
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&out);
    let file = file.map_err(|cause| wrong(format!("{}: can't be made ({cause})", out.display())))?;
    let written = copied(&address, &out).await;
    if let Err(failed) = written {
        drop(file);
        fs::remove_file(&out).with_context(|| format!("{}: can't be taken away", out.display()))?;
        return Err(failed);
    }
    File::open(&out)?.sync_all().context("bringing the copy to the disk")?;
    let size = fs::metadata(&out)?.len();
    if piped {
        io::copy(&mut File::open(&out)?, &mut io::stdout().lock()).context("writing the copy")?;
    }
    eprintln!(
        "{} MB copied{}",
        size.div_ceil(1_000_000),
        written.ok().flatten().map_or_else(String::new, told)
    );
    Ok(())
}

/// Copies the database into a file that is there and empty. What it holds, where the copy was looked through.
async fn copied(address: &str, out: &Path) -> Result<Option<Contents>> {
    if address.starts_with("sqlite:") {
        copy_sqlite(address, out).await.context("copying the database")?;
        return Ok(Some(looked_through(out).await.context("looking through the copy")?));
    }
    let dump = ["--format=custom", "--no-owner", "--no-privileges", "--file"];
    called("pg_dump", Command::new("pg_dump").args(dump).arg(out), address)?;
    Ok(None)
}

pub(super) async fn restore(config: PathBuf, args: RestoreArgs) -> Result<()> {
    let config = Config::read(&config).map_err(wrong)?;
    let address = config.store_address();
    if address.starts_with("sqlite:") {
        let contents = looked_through(&args.file).await.map_err(|error| refused(&args.file, &error))?;
        let own = address.trim_start_matches("sqlite:").split('?').next().unwrap_or_default();
        put_in_place(&args, Path::new(own))?;
        eprintln!("the backup is in place{}", told(contents));
    } else {
        let listed = called("pg_restore", Command::new("pg_restore").arg("--list").arg(&args.file), &address);
        listed.map_err(|error| refused(&args.file, &error))?;
        if !is_new(&address).await.context("looking into the database")? {
            return Err(wrong(
                "the database is not empty; make a new one with createdb and name it in [store] address",
            ));
        }
        let into = ["--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction", "--dbname"];
        let name = postgres_database(&address)?;
        called("pg_restore", Command::new("pg_restore").args(into).arg(name).arg(&args.file), &address)?;
    }
    let store = Store::open(&address).await.context("opening the restored database")?;
    let held = store.note_restored(now()).await.context("holding what had not been sent")?;
    eprintln!("restored{}", told(store.contents().await?));
    eprintln!(
        "{} that had not been sent held, and so is new mail until the next night: `outbox list --state held`",
        if held == 1 { "one message".to_owned() } else { format!("{held} messages") }
    );
    store.close().await;
    Ok(())
}

fn told(contents: Contents) -> String {
    let night =
        contents.last_night.map_or_else(|| "no night".to_owned(), |night| format!("nights up to {night}"));
    format!(
        ": {} incidents, {} alerts, {} messages, {night}",
        contents.incidents, contents.alerts, contents.messages
    )
}

fn refused(file: &Path, error: &impl std::fmt::Display) -> anyhow::Error {
    wrong(format!("{}: can't be restored: {error}", file.display()))
}

/// Puts a copy where the database is; one that is there already is put aside, with what it has not yet taken into itself.
fn put_in_place(args: &RestoreArgs, own: &Path) -> Result<()> {
    let beside = |ending: &str| {
        let mut name = own.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    let lock = File::options().create(true).append(true).open(beside("-engine"))?;
    if lock.try_lock().is_err() {
        return Err(wrong("`serve` works on this database; stop it first"));
    }
    if own.exists() {
        if !args.replace {
            return Err(wrong(format!("{} is there already; --replace puts it aside", own.display())));
        }
        let aside = now().format(".before-%Y%m%dT%H%M%SZ").to_string();
        for ending in ["-wal", "-shm", ""] {
            let from = beside(ending);
            if from.exists() {
                fs::rename(&from, beside(&format!("{aside}{ending}")))?;
            }
        }
        eprintln!("what was there is kept as {}", beside(&aside).display());
    }
    let coming = beside(".coming");
    let mut new = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&coming)?;
    io::copy(&mut File::open(&args.file)?, &mut new).context("copying the backup")?;
    new.sync_all().context("bringing the backup to the disk")?;
    fs::rename(&coming, own).context("putting the backup in place")?;
    Ok(())
}

/// Refuses a folder that others can look into.
fn private(out: &Path) -> Result<()> {
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let about = fs::metadata(folder).map_err(|cause| wrong(format!("{}: {cause}", folder.display())))?;
    if about.permissions().mode() & 0o077 != 0 {
        return Err(wrong(format!(
            "{}: others can look into this folder, and a backup holds everything; `chmod 700` it, or encrypt: `backup --out - | age --recipient KEY > FILE`",
            folder.display()
        )));
    }
    Ok(())
}

/// A folder that nobody else can look into: beside a SQLite database, or where temporary files are.
fn private_folder(address: &str) -> Result<tempfile::TempDir> {
    let beside =
        address.strip_prefix("sqlite:").and_then(|file| Path::new(file).parent().map(Path::to_owned));
    let place = beside.unwrap_or_else(std::env::temp_dir);
    let mut made = tempfile::Builder::new();
    made.prefix(".backup-").permissions(fs::Permissions::from_mode(0o700));
    made.tempdir_in(&place).with_context(|| format!("{}: can't be written to", place.display()))
}

/// Runs one of PostgreSQL's own programs.
fn called(name: &str, command: &mut Command, address: &str) -> Result<()> {
    let done = command.envs(postgres_environment(address)?).output();
    let done =
        done.map_err(|cause| wrong(format!("{name} can't be run ({cause}); install postgresql-client")))?;
    if !done.status.success() {
        bail!("{name} failed: {}", String::from_utf8_lossy(&done.stderr).trim());
    }
    Ok(())
}
