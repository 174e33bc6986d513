//! The master key: given, or made on first start. And what tokens are signed with.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use sakms_core::entropy::{Entropy, OsEntropy};
use sakms_core::key::{MasterKey, MasterKeys};
use sakms_core::token::HmacSecret;

use crate::config::{Secret, Settings};
use crate::database;
use crate::error::Failure;

/// What the service signs and derives with.
#[derive(Debug)]
pub(crate) struct Keys {
    pub(crate) master: MasterKeys,
    pub(crate) tokens: TokenKeys,
}

/// What tokens are signed with.
#[derive(Debug)]
pub(crate) enum TokenKeys {
    /// A secret that was given (HS256).
    Secret(HmacSecret),
    /// The keys in the database.
    Stored {
        /// What an earlier version made beside the database and signed with.
        former: Option<FormerSecret>,
    },
}

/// A secret whose tokens are still good, and which signs no more.
#[derive(Debug)]
pub(crate) struct FormerSecret {
    pub(crate) path: PathBuf,
    pub(crate) secret: HmacSecret,
}

/// Where a secret comes from when it is not given.
enum Fallback {
    /// A file beside the database, made if it is absent and may be made.
    Beside { path: PathBuf, may_be_made: bool },
    /// Made anew on every start: the database is gone with the process as well.
    Ephemeral,
    /// Nowhere: it must be given.
    Required,
}

/// Finds or makes what is needed.
pub(crate) fn resolve(settings: &Settings) -> Result<Keys, Failure> {
    let url = settings.database.url();
    // Looked at before the secret is: whoever makes the file makes it before the database.
    let in_use = database::sqlite_path(&url)
        .is_some_and(|path| fs::metadata(path).is_ok_and(|file| file.len() > 0));
    let fallback = |suffix: &str| match database::sqlite_path(&url) {
        Some(path) if settings.listen.ip().is_loopback() => match path {
            ":memory:" => Fallback::Ephemeral,
            path => Fallback::Beside {
                path: format!("{path}.{suffix}").into(),
                may_be_made: !in_use,
            },
        },
        _ => Fallback::Required,
    };

    let given = &settings.secrets;
    let (key, file) = (given.master_key.as_ref(), given.master_key_file.as_deref());
    let master = find("--master-key", key, file, fallback("master-key"))?;
    let hmac = |name: &str, text: &str| {
        if master == text {
            let why = "and --master-key are the same; each needs random bytes of its own";
            return Err(Failure::plain(format!("{name} {why}")));
        }
        let secret = text.parse::<HmacSecret>();
        secret.map_err(|error| Failure::new(name, &error))
    };
    let (key, file) = (given.jwt_secret.as_ref(), given.jwt_secret_file.as_deref());
    let tokens = if key.is_some() || file.is_some() {
        let text = find("--jwt-secret", key, file, Fallback::Required)?;
        TokenKeys::Secret(hmac("--jwt-secret", &text)?)
    } else {
        let former = match fallback("jwt-secret") {
            Fallback::Beside { path, .. } => read_if_there(&path)?.map(|text| (path, text)),
            Fallback::Ephemeral | Fallback::Required => None,
        };
        let former = former.map(|(path, text)| {
            let secret = hmac(&path.display().to_string(), &text)?;
            Ok(FormerSecret { path, secret })
        });
        TokenKeys::Stored {
            former: former.transpose()?,
        }
    };
    let master = master
        .parse()
        .map_err(|error| Failure::new("--master-key", &error))?;
    Ok(Keys { master, tokens })
}

fn read_if_there(path: &Path) -> Result<Option<String>, Failure> {
    match read(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::new(&path.display().to_string(), &error)),
    }
}

fn find(
    name: &str,
    given: Option<&Secret>,
    file: Option<&Path>,
    fallback: Fallback,
) -> Result<String, Failure> {
    if let Some(secret) = given {
        return Ok(secret.0.clone());
    }
    if let Some(path) = file {
        let what = format!("{name}-file {}", path.display());
        return read(path).map_err(|error| Failure::new(&what, &error));
    }
    match fallback {
        Fallback::Beside {
            path,
            may_be_made: false,
        } if !path.exists() => Err(Failure::plain(format!(
            "{} is missing beside a database that is in use; with a new one, every key in it would be refused. Put \
                 the file back, or give the key with {name}-file",
            path.display()
        ))),
        Fallback::Beside { path, .. } => {
            read_or_make(&path).map_err(|error| Failure::new(&path.display().to_string(), &error))
        }
        Fallback::Ephemeral => random_text().map_err(|error| Failure::new(name, &error)),
        Fallback::Required => Err(Failure::plain(format!(
            "{name} is required (or {name}-file, or its environment variable): only with SQLite and an address on \
             loopback is it made on first start"
        ))),
    }
}

/// 32 random bytes as base64url.
fn random_text() -> io::Result<String> {
    let key = MasterKey::generate(&OsEntropy).map_err(io::Error::other)?;
    Ok(key.expose_text().to_string())
}

fn read(path: &Path) -> io::Result<String> {
    let text = fs::read_to_string(path)?;
    warn_if_others_can_read(path);
    // An editor ends a file with a line break; a secret has none.
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}

fn read_or_make(path: &Path) -> io::Result<String> {
    match read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        found => return found,
    }
    let text = random_text()?;
    match write_new(path, &text) {
        Ok(()) => {
            tracing::info!(file = %path.display(), "made a secret on first start; keep this file, and keep it to yourself");
            Ok(text)
        }
        // Another process was a moment faster: its secret counts.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => read(path),
        Err(error) => Err(error),
    }
}

/// Writes a file that nobody else may read, whole or not at all, and never over another.
fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut random = [0_u8; 8];
    OsEntropy.fill(&mut random).map_err(io::Error::other)?;
    let draft = PathBuf::from(format!(
        "{}.{:016x}.tmp",
        path.display(),
        u64::from_be_bytes(random)
    ));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let written = options.open(&draft).and_then(|mut file| {
        writeln!(file, "{text}")?;
        file.sync_all()
    });
    // A link, unlike a rename, fails when the name is taken.
    let linked = written.and_then(|()| fs::hard_link(&draft, path));
    let _ = fs::remove_file(&draft);
    linked
}

#[cfg(unix)]
fn warn_if_others_can_read(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let readable = fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o077 != 0);
    if readable {
        tracing::warn!(file = %path.display(), "others on this machine can read this secret; chmod 600 it");
    }
}

#[cfg(not(unix))]
fn warn_if_others_can_read(_path: &Path) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_made_once_and_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sakms.db.master-key");
        let made = read_or_make(&path).unwrap();
        assert_eq!(made.len(), 43);
        assert_eq!(read_or_make(&path).unwrap(), made);
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            1,
            "no draft is left"
        );
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(
                fs::metadata(&path).unwrap().permissions().mode() & 0o777,
                0o600
            );
        }
    }

    #[test]
    fn a_secret_is_never_written_over_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        fs::write(&path, "first\n").unwrap();
        assert_eq!(
            write_new(&path, "second").unwrap_err().kind(),
            ErrorKind::AlreadyExists
        );
        assert_eq!(read(&path).unwrap(), "first");
    }
}
