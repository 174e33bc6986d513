//! Requirements as text: `reports:read and (a:b or c:d) and not admin:*`.

use std::fmt;

use super::Requirement;
use super::expression::Expression;
use crate::key::InvalidScope;

/// The whole text, when nothing is asked of the scopes.
const ANY: &str = "any";

/// Why a text, or a list of scopes, is no requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidRequirement {
    /// There is nothing in it.
    Empty,
    /// It is longer than [`Requirement::MAX_BYTES`].
    TooLong,
    /// It has more scopes than [`Requirement::MAX_TERMS`].
    TooManyTerms,
    /// It is nested deeper than [`Requirement::MAX_DEPTH`].
    TooDeep,
    /// One of the scopes is none.
    Scope(InvalidScope),
    /// At this byte of the text something else is expected.
    Unexpected {
        /// Where, counted from 0; the length of the text when it ends too early.
        at: usize,
        /// What was expected there.
        expected: &'static str,
    },
}

impl fmt::Display for InvalidRequirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("no requirement: it names no scope"),
            Self::TooLong => f.write_str("longer than the 1024 bytes a requirement may have"),
            Self::TooManyTerms => f.write_str("more than the 64 scopes a requirement may name"),
            Self::TooDeep => f.write_str("nested deeper than the 16 levels a requirement may have"),
            Self::Scope(error) => error.fmt(f),
            Self::Unexpected { at, expected } => {
                write!(f, "not a requirement: expected {expected} at byte {at}")
            }
        }
    }
}

impl std::error::Error for InvalidRequirement {}

impl From<InvalidScope> for InvalidRequirement {
    fn from(error: InvalidScope) -> Self {
        Self::Scope(error)
    }
}

pub(super) fn parse(text: &str) -> Result<Expression, InvalidRequirement> {
    if text.len() > Requirement::MAX_BYTES {
        return Err(InvalidRequirement::TooLong);
    }
    let mut parser = Parser {
        text,
        place: 0,
        terms: 0,
    };
    match parser.peek() {
        None => return Err(InvalidRequirement::Empty),
        Some(ANY) if text.trim_matches(' ') == ANY => return Ok(Expression::Any),
        Some(_) => {}
    }
    let whole = parser.alternatives(0)?;
    match parser.peek() {
        Some(_) => Err(parser.unexpected("and, or, or the end")),
        // A space is optional beside a parenthesis, and always written.
        None if whole.to_string().len() > Requirement::MAX_BYTES => {
            Err(InvalidRequirement::TooLong)
        }
        None => Ok(whole),
    }
}

/// Reads from the left, each level by a function of its own.
struct Parser<'a> {
    text: &'a str,
    place: usize,
    terms: usize,
}

impl<'a> Parser<'a> {
    /// `a or b or c`.
    fn alternatives(&mut self, depth: usize) -> Result<Expression, InvalidRequirement> {
        let mut parts = vec![self.conjunction(depth)?];
        while self.takes("or") {
            parts.push(self.conjunction(depth)?);
        }
        Ok(Expression::any_of(parts))
    }

    /// `a and b and c`.
    fn conjunction(&mut self, depth: usize) -> Result<Expression, InvalidRequirement> {
        let mut parts = vec![self.term(depth)?];
        while self.takes("and") {
            parts.push(self.term(depth)?);
        }
        Ok(Expression::all(parts))
    }

    /// A scope, `not` and a term, or a text in parentheses.
    fn term(&mut self, depth: usize) -> Result<Expression, InvalidRequirement> {
        let expected = "a scope, not or (";
        match self.peek() {
            None | Some(")" | "and" | "or" | ANY) => Err(self.unexpected(expected)),
            Some("not" | "(") if depth == Requirement::MAX_DEPTH => {
                Err(InvalidRequirement::TooDeep)
            }
            Some("not") => {
                self.advance("not");
                Ok(Expression::not(self.term(depth + 1)?))
            }
            Some("(") => {
                self.advance("(");
                let inner = self.alternatives(depth + 1)?;
                if !self.takes(")") {
                    return Err(self.unexpected("and, or or )"));
                }
                Ok(inner)
            }
            Some(word) => {
                if self.terms == Requirement::MAX_TERMS {
                    return Err(InvalidRequirement::TooManyTerms);
                }
                let scope = word.parse();
                let scope = scope.map_err(|InvalidScope| self.unexpected(expected))?;
                self.terms += 1;
                self.advance(word);
                Ok(Expression::Scope(scope))
            }
        }
    }

    /// The next word or parenthesis, which stays where it is; `None` at the end.
    fn peek(&mut self) -> Option<&'a str> {
        let rest = &self.text[self.place..];
        let word = rest.trim_start_matches(' ');
        self.place += rest.len() - word.len();
        let end = match word.as_bytes().first()? {
            b'(' | b')' => 1,
            _ => word.find([' ', '(', ')']).unwrap_or(word.len()),
        };
        Some(&word[..end])
    }

    fn advance(&mut self, word: &str) {
        self.place += word.len();
    }

    fn takes(&mut self, word: &str) -> bool {
        let there = self.peek() == Some(word);
        if there {
            self.advance(word);
        }
        there
    }

    const fn unexpected(&self, expected: &'static str) -> InvalidRequirement {
        InvalidRequirement::Unexpected {
            at: self.place,
            expected,
        }
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str(ANY),
            Self::Scope(scope) => scope.fmt(f),
            Self::All(parts) => joined(f, parts, " and "),
            Self::AnyOf(parts) => joined(f, parts, " or "),
            Self::Not(part) => {
                f.write_str("not ")?;
                enclosed(f, part)
            }
        }
    }
}

fn joined(f: &mut fmt::Formatter<'_>, parts: &[Expression], word: &str) -> fmt::Result {
    for (place, part) in parts.iter().enumerate() {
        f.write_str(if place == 0 { "" } else { word })?;
        match part {
            // No parentheses but those that are needed: a text grows no deeper by being written again.
            Expression::AnyOf(_) => enclosed(f, part)?,
            part => write!(f, "{part}")?,
        }
    }
    Ok(())
}

fn enclosed(f: &mut fmt::Formatter<'_>, part: &Expression) -> fmt::Result {
    match part {
        Expression::All(_) | Expression::AnyOf(_) => write!(f, "({part})"),
        part => write!(f, "{part}"),
    }
}
