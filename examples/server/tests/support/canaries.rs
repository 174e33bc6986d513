//! Secrets that can be told apart, to be looked for wherever none may be.

use std::collections::{BTreeMap, HashMap};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

/// How many characters at the end of a key's text are its secret and its tag.
const SECRET_AND_TAG: usize = 43 + 11;
const TAG: usize = 11;
/// By how many bytes at its start a form is looked up. None is shorter.
const START: usize = 8;

/// Secrets, in every form in which they could come to light.
#[derive(Debug, Default)]
pub(crate) struct Canaries(Vec<Canary>);

#[derive(Debug)]
struct Canary {
    kind: &'static str,
    form: String,
    /// Whether the database may hold it: a hash is there to be stored.
    stored: bool,
}

impl Canaries {
    fn add(&mut self, kind: &'static str, form: impl Into<String>) {
        let form = form.into();
        // What is shorter could stand somewhere by chance.
        assert!(form.len() >= 11, "{kind} is no canary");
        if !self.0.iter().any(|known| known.form == form) {
            self.0.push(Canary {
                kind,
                form,
                stored: false,
            });
        }
    }

    /// A text that is secret as a whole: as it is, in a query, in base64 and in hexadecimal, and its digest.
    pub(crate) fn text(&mut self, kind: &'static str, text: &str) {
        self.add(kind, text);
        self.add(kind, text.replace(' ', "%20"));
        self.add(kind, text.replace(' ', "+"));
        self.bytes(kind, text.as_bytes());
        self.bytes(kind, &Sha256::digest(text));
    }

    /// Secret bytes in the forms in which programs write bytes.
    pub(crate) fn bytes(&mut self, kind: &'static str, bytes: &[u8]) {
        // Without its last characters, which depend on what follows and on padding.
        let whole = bytes.len() / 3 * 3;
        self.add(kind, STANDARD_NO_PAD.encode(&bytes[..whole]));
        self.add(kind, URL_SAFE_NO_PAD.encode(&bytes[..whole]));
        let hexadecimal: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        self.add(kind, hexadecimal.to_uppercase());
        self.add(kind, hexadecimal);
        // As `Debug` writes them.
        self.add(kind, format!("{bytes:?}"));
    }

    /// A key: its text, and what of it is not public.
    pub(crate) fn key(&mut self, text: &str) {
        self.text("a key", text);
        let (_, secret_and_tag) = text.split_at(text.len() - SECRET_AND_TAG);
        self.add("a key's secret and tag", secret_and_tag);
        self.add("a key's secret", &secret_and_tag[..SECRET_AND_TAG - TAG]);
        self.add("a key's tag", &secret_and_tag[SECRET_AND_TAG - TAG..]);
    }

    /// A token: its text, and its signature.
    pub(crate) fn token(&mut self, text: &str) {
        self.text("a token", text);
        let signature = text.rsplit('.').next().unwrap();
        self.add("a token's signature", signature);
    }

    /// What the database holds, and nobody else may see: a hash or a digest.
    pub(crate) fn stored(&mut self, kind: &'static str, form: &str) {
        self.add(kind, form);
        if let Some(last) = form.rsplit('$').next().filter(|last| last.len() >= 11) {
            self.add(kind, last);
        }
        let known = self.0.iter_mut().filter(|known| known.kind == kind);
        known.for_each(|known| known.stored = true);
    }

    /// How many forms are looked for.
    pub(crate) const fn len(&self) -> usize {
        self.0.len()
    }

    /// What stands in any of these texts that must not, each with where it is from; nothing when all is well.
    pub(crate) fn found_in<'t>(
        &self,
        said: impl IntoIterator<Item = (&'t str, &'t str)>,
    ) -> Vec<String> {
        let search = Search::of(self.0.iter());
        let found = said.into_iter();
        found
            .flat_map(|(place, text)| search.run(place, text))
            .collect()
    }

    /// The same of what may hold hashes: one of the database's own files.
    pub(crate) fn found_in_database(&self, place: &str, bytes: &[u8]) -> Vec<String> {
        let plain = self.0.iter().filter(|known| !known.stored);
        Search::of(plain).run(place, &String::from_utf8_lossy(bytes))
    }
}

/// Looks for all of them at once: a log of many megabytes is read once, not once for each form.
struct Search<'a> {
    by_start: HashMap<[u8; START], Vec<&'a Canary>>,
    /// Whether any begins with these two bytes: one look passes over nearly every place.
    begins: Vec<bool>,
}

impl<'a> Search<'a> {
    fn of(canaries: impl Iterator<Item = &'a Canary>) -> Self {
        let mut by_start = HashMap::<_, Vec<_>>::new();
        let mut begins = vec![false; 1 << 16];
        for canary in canaries {
            let start: &[u8; START] = canary.form.as_bytes().first_chunk().unwrap();
            by_start.entry(*start).or_default().push(canary);
            begins[usize::from(u16::from_be_bytes([start[0], start[1]]))] = true;
        }
        Self { by_start, begins }
    }

    /// One finding of each kind is enough.
    fn run(&self, place: &str, text: &str) -> Vec<String> {
        let mut found = BTreeMap::new();
        for (at, window) in text.as_bytes().windows(START).enumerate() {
            if !self.begins[usize::from(u16::from_be_bytes([window[0], window[1]]))] {
                continue;
            }
            let candidates = self.by_start.get(window).into_iter().flatten();
            for canary in candidates {
                if text.as_bytes()[at..].starts_with(canary.form.as_bytes()) {
                    let line = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
                    let before: String = text[line..at].chars().take(200).collect();
                    let told = || format!("{} in {place}, behind: {before}", canary.kind);
                    found.entry(canary.kind).or_insert_with(told);
                }
            }
        }
        found.into_values().collect()
    }
}
