//! A file of the corpus, read.

use std::ops::Range;

use super::action::{Action, Setting, Taken, setting};

/// Requests that follow each other, and the answers on record.
#[derive(Debug, Clone)]
pub struct Scenario {
    pub(super) name: String,
    pub(super) text: String,
    pub(super) settings: Vec<Setting>,
    pub(super) steps: Vec<Step>,
}

#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) title: String,
    pub(super) before: Vec<Action>,
    pub(super) sent: Vec<Sent>,
    /// Which lines of the file the answers are, counted from 0.
    pub(super) answers: Range<usize>,
    pub(super) taken: Vec<Taken>,
}

#[derive(Debug, Clone)]
pub(super) enum Sent {
    /// With CR and LF behind it.
    Line(String),
    /// To the byte.
    Raw(String),
    /// Nothing goes on before the next answer has come, be it an interim one.
    AwaitAnswer,
}

impl Scenario {
    /// Reads a file of the form that [`corpus`](super) describes.
    ///
    /// # Panics
    /// When it is not of that form, with the line where it is not.
    #[must_use]
    pub fn parse(name: &str, text: &str) -> Self {
        let mut scenario = Self {
            name: name.to_owned(),
            text: text.to_owned(),
            settings: Vec::new(),
            steps: Vec::new(),
        };
        for (number, line) in text.lines().enumerate() {
            if let Err(reason) = scenario.take(number, line) {
                panic!("{name}:{}: {reason}: {line}", number + 1);
            }
        }
        for step in &scenario.steps {
            assert!(
                !step.sent.is_empty(),
                "{name}: {}: sends nothing",
                step.title
            );
        }
        assert!(!scenario.steps.is_empty(), "{name}: has no steps");
        scenario
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many requests are on record.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.steps
            .iter()
            .map(|step| step.methods().count().max(1))
            .sum()
    }

    /// The file without its answers: two files with the same ask the same.
    #[must_use]
    pub fn questions(&self) -> String {
        let lines = self.text.lines().filter(|line| !line.starts_with('<'));
        lines.fold(String::new(), |text, line| text + line + "\n")
    }

    fn take(&mut self, number: usize, line: &str) -> Result<(), String> {
        if line.ends_with([' ', '\t', '\r']) {
            return Err("white space at the end; write it as \\x20, \\t or \\r".to_owned());
        }
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        if let Some(title) = line.strip_prefix("== ") {
            if self.steps.iter().any(|step| step.title == title) {
                return Err("this title is taken".to_owned());
            }
            self.steps.push(Step::new(title));
            return Ok(());
        }
        let Some(step) = self.steps.last_mut() else {
            let words = line.strip_prefix("@service ");
            let words = words.ok_or("only @service may come before the first `== title`")?;
            self.settings.push(setting(words)?);
            return Ok(());
        };
        step.take(number, line)
    }
}

impl Step {
    fn new(title: &str) -> Self {
        Self {
            title: title.to_owned(),
            before: Vec::new(),
            sent: Vec::new(),
            answers: 0..0,
            taken: Vec::new(),
        }
    }

    fn take(&mut self, number: usize, line: &str) -> Result<(), String> {
        if line.starts_with('<') {
            if self.answers.end != number || self.sent.is_empty() {
                return Err("the answers stand right behind what is sent".to_owned());
            }
            self.answers.end += 1;
            return Ok(());
        }
        if let Some(taken) = line.strip_prefix("@take ") {
            self.taken.push(Taken::read(taken)?);
            return Ok(());
        }
        if !self.answers.is_empty() {
            return Err("only @take may come behind the answers".to_owned());
        }
        if let Some(action) = line.strip_prefix('@') {
            self.before.push(Action::read(action)?);
            return Ok(());
        }
        let rest = |prefix| line.strip_prefix(prefix).map(str::to_owned);
        self.sent.push(match line {
            ">" => Sent::Line(String::new()),
            "~ answer" => Sent::AwaitAnswer,
            _ => rest("> ")
                .map(Sent::Line)
                .or_else(|| rest(">> ").map(Sent::Raw))
                .ok_or("no line begins like this")?,
        });
        // Where the answers go, when there are none on record yet.
        self.answers = number + 1..number + 1;
        Ok(())
    }

    /// The methods of its requests.
    pub(super) fn methods(&self) -> impl Iterator<Item = &str> {
        self.sent.iter().filter_map(Sent::method)
    }
}

impl Sent {
    /// The method, when this is the first line of a request.
    pub(super) fn method(&self) -> Option<&str> {
        let Self::Line(line) = self else { return None };
        let is_request = line.ends_with(" HTTP/1.1") || line.ends_with(" HTTP/1.0");
        line.split(' ').next().filter(|_| is_request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "# A comment.\n@service body limit 100\n\n== first\n@user ada\n@key laptop of ada {\"name\":\"x y\"}\n\
        > GET /health HTTP/1.1\n>\n~ answer\n> HEAD /health HTTP/1.0\n>> raw\n< HTTP/1.1 200 OK\n<\n@take a = json /b\n\
        \n== second\n> \\x20\n";

    #[test]
    fn a_file_is_read_step_by_step() {
        let scenario = Scenario::parse("good", GOOD);
        assert_eq!((scenario.requests(), scenario.steps.len()), (3, 2));
        let [first, second] = &scenario.steps[..] else {
            panic!("two steps");
        };
        assert_eq!(first.methods().collect::<Vec<_>>(), ["GET", "HEAD"]);
        assert_eq!((&first.answers, &second.answers), (&(11..13), &(17..17)));
        assert!(
            matches!(&first.before[1], Action::Key(_, _, json) if json == "{\"name\":\"x y\"}")
        );
        assert!(matches!(scenario.settings[..], [Setting::BodyLimit(100)]));
        assert!(!scenario.questions().contains("200 OK"));
    }

    fn refusal(text: &str) -> String {
        let parse = || Scenario::parse("bad", text);
        let panic = std::panic::catch_unwind(parse).unwrap_err();
        panic.downcast_ref::<String>().cloned().unwrap_or_default()
    }

    #[test]
    fn what_is_no_scenario_is_refused_with_the_line() {
        for (text, words) in [
            ("", "has no steps"),
            ("== a", "sends nothing"),
            ("@user ada\n== a", "bad:1: only @service may come before"),
            ("@service quickly", "bad:1: no setting"),
            ("== a\n>\n== a\n>", "bad:3: this title is taken"),
            ("== a\n> x ", "bad:2: white space at the end"),
            ("== a\n< 200", "bad:2: the answers stand right behind"),
            ("== a\n>\n< 200\n> x", "bad:4: only @take may come behind"),
            (
                "== a\n>\n< 200\n\n< 201",
                "bad:5: the answers stand right behind",
            ),
            ("== a\nGET / HTTP/1.1", "bad:2: no line begins like this"),
            ("== a\n@dance", "bad:2: no action"),
            ("== a\n@advance 2 weeks", "bad:2: no action"),
            ("== a\n@advance 2w", "bad:2: `2w` is no time"),
            ("== a\n@fail badly", "bad:2: `badly` is no fault"),
            (
                "== a\n@fail stale in nothing",
                "bad:2: a store has no `nothing`",
            ),
            (
                "== a\n>\n@take a = header x",
                "bad:3: expected `json /POINTER`",
            ),
        ] {
            let refusal = refusal(text);
            assert!(refusal.contains(words), "{text:?}: {refusal}");
        }
    }
}
