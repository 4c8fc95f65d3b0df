//! A folder of `.eml` files, which any mail program opens.

use super::{Letter, Outcome};
use std::path::{Path, PathBuf};

/// Writes each message as one file.
#[derive(Debug, Clone)]
pub struct FileTransport {
    folder: PathBuf,
}

impl FileTransport {
    /// Into this folder, which is made when the first message comes.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The file of a message: named after its id, so that the same message sent again is the same file.
    #[must_use]
    pub fn file(&self, id: &str) -> PathBuf {
        let left = id.trim_start_matches('<').split('@').next().unwrap_or_default();
        let name: String =
            left.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(100).collect();
        self.folder.join(format!("{}.eml", if name.is_empty() { "message" } else { &name }))
    }

    /// Writes one message: all of it or nothing.
    pub(super) async fn send(&self, letter: Letter<'_>) -> Outcome {
        let file = self.file(letter.id);
        match write(&self.folder, &file, letter.message).await {
            Ok(()) => Outcome::Sent,
            Err(cause) => Outcome::Configuration(format!("{} can't be written: {cause}", file.display())),
        }
    }
}

async fn write(folder: &Path, file: &Path, message: &[u8]) -> std::io::Result<()> {
    use tokio::io::AsyncWriteExt as _;
    tokio::fs::create_dir_all(folder).await?;
    let unfinished = file.with_extension("part");
    let mut out = tokio::fs::File::create(&unfinished).await?;
    out.write_all(message).await?;
    out.sync_all().await?;
    tokio::fs::rename(&unfinished, file).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::Envelope;

    fn letter<'a>(id: &'a str, message: &'a [u8]) -> Letter<'a> {
        Letter { envelope: Envelope { from: "a@b.invalid", to: "c@d.invalid" }, id, message }
    }

    #[tokio::test]
    async fn a_message_sent_twice_is_one_whole_file() {
        let folder = tempfile::tempdir().unwrap();
        let files = FileTransport::new(folder.path().join("mail"));
        for _ in 0..2 {
            assert_eq!(files.send(letter("<0147-0@b.invalid>", b"Subject: x\r\n\r\n")).await, Outcome::Sent);
        }
        let names: Vec<_> = std::fs::read_dir(folder.path().join("mail")).unwrap().flatten().collect();
        assert_eq!(names.len(), 1);
        assert_eq!(names[0].file_name(), "0147-0.eml");
        assert_eq!(std::fs::read(names[0].path()).unwrap(), b"Subject: x\r\n\r\n");
    }

    #[tokio::test]
    async fn an_id_never_leads_out_of_the_folder_and_a_folder_that_cannot_be_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let files = FileTransport::new(folder.path().join("mail"));
        assert_eq!(files.file("<../../etc/passwd@b>"), folder.path().join("mail/etcpasswd.eml"));
        std::fs::write(folder.path().join("mail"), "a file").unwrap();
        let outcome = files.send(letter("<a@b>", b"x")).await;
        assert!(matches!(&outcome, Outcome::Configuration(why) if why.contains("a.eml")), "{outcome:?}");
    }
}
