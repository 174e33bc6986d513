use proptest::prelude::*;

use super::*;

fn set(text: &str) -> ScopeSet {
    text.parse().unwrap()
}

fn requirement(text: &str) -> Requirement {
    text.parse().unwrap()
}

/// What a key with these scopes is told.
fn told(requirement: &str, held: &str) -> String {
    let denial = self::requirement(requirement).unmet(&Environment::live(), &set(held));
    match denial {
        None => "passes".to_owned(),
        Some(KeyDenial::MissingScope(scope)) => format!("lacks {scope}"),
        Some(KeyDenial::ForbiddenScope(scope)) => format!("holds {scope}"),
        Some(other) => panic!("{other}"),
    }
}

#[test]
fn all_any_and_not() {
    for (requirement, held, answer) in [
        ("any", "", "passes"),
        ("a:b", "a:b", "passes"),
        ("a:b", "a:*", "passes"),
        ("a:b", "a:c", "lacks a:b"),
        ("a:b and c:d", "a:b", "lacks c:d"),
        ("a:b or c:d", "c:d", "passes"),
        ("a:b or c:d", "", "lacks a:b"),
        ("not a:b", "", "passes"),
        ("not a:b", "a:c", "passes"),
        ("not a:b", "a:b", "holds a:b"),
        ("not a:b", "a:*", "holds a:b"),
        ("not a:b", "*", "holds a:b"),
        // It holds no scope that grants all of `a`.
        ("not a:*", "a:b", "passes"),
        ("not a:*", "a:*", "holds a:*"),
        ("not not a:b", "", "lacks a:b"),
        ("not (a:b and c:d)", "a:b", "passes"),
        ("not (a:b and c:d)", "a:b c:d", "holds a:b"),
        ("not (a:b or c:d)", "c:d", "holds c:d"),
        ("not a:b or c:d", "a:b", "lacks c:d"),
        ("not a:b or not c:d", "*", "holds a:b"),
        ("a:b and not c:d", "*", "holds c:d"),
        ("a:b and (c:d or e:f) and not g:h", "a:b e:f", "passes"),
        ("a:b and (c:d or e:f) and not g:h", "a:b", "lacks c:d"),
        (
            "a:b and (c:d or e:f) and not g:h",
            "a:b c:d g:*",
            "holds g:h",
        ),
        // `and` binds tighter than `or`, `not` than both.
        ("a:b or c:d and e:f", "a:b", "passes"),
        ("not a:b and c:d", "c:d", "passes"),
    ] {
        assert_eq!(told(requirement, held), answer, "{requirement} of {held:?}");
    }
}

#[test]
fn what_is_built_is_what_is_written() {
    let all = Requirement::all_of(["a:b", "c:d"]).unwrap();
    assert_eq!(all, requirement("a:b and c:d"));
    let any = Requirement::any_of(["a:b", "c:d"]).unwrap();
    assert_eq!(any, requirement("a:b or c:d"));
    assert_eq!(
        any.clone().not("e:*").unwrap().scope("f:g").unwrap(),
        requirement("(a:b or c:d) and not e:* and f:g")
    );
    assert_eq!(
        all.clone().or(any),
        requirement("(a:b and c:d) or a:b or c:d")
    );
    assert_eq!(
        Requirement::any_key().scope("a:b").unwrap(),
        requirement("a:b")
    );
    assert_eq!(Requirement::any_key().or(all), Requirement::any_key());
    assert_eq!(
        Requirement::all_of([]),
        Err(InvalidRequirement::Empty),
        "a list that came out empty is a mistake"
    );
    assert_eq!(Requirement::any_of([]), Err(InvalidRequirement::Empty));
    assert!(Requirement::all_of(["a:b", "typo"]).is_err());
    assert!(Requirement::any_key().not("typo").is_err());
    assert_eq!(
        Requirement::any_of(["a:b"; 65]),
        Err(InvalidRequirement::TooManyTerms)
    );
}

#[test]
fn the_text_is_canonical() {
    for (written, shown) in [
        ("any", "any"),
        ("  ( a:b )", "a:b"),
        ("a:b and(c:d and e:f)", "a:b and c:d and e:f"),
        ("a:b or (c:d or e:f)", "a:b or c:d or e:f"),
        ("a:b or (c:d and e:f)", "a:b or c:d and e:f"),
        ("a:b and (c:d or e:f)", "a:b and (c:d or e:f)"),
        ("not(not(a:b))", "not not a:b"),
        ("not (a:b or *)", "not (a:b or *)"),
    ] {
        assert_eq!(requirement(written).to_string(), shown);
        assert_eq!(requirement(shown), requirement(written));
    }
}

#[test]
fn what_is_no_requirement_says_where() {
    let at = |text: &str| match text.parse::<Requirement>() {
        Err(InvalidRequirement::Unexpected { at, .. }) => at,
        other => panic!("{text}: {other:?}"),
    };
    for (text, place) in [
        ("a", 0),
        ("a:b c:d", 4),
        ("a:b and", 7),
        ("and a:b", 0),
        ("a:b or or c:d", 7),
        ("(a:b", 4),
        ("a:b)", 3),
        ("()", 1),
        ("not", 3),
        ("a:b AND c:d", 4),
        ("a:b\tand c:d", 0),
        ("any and a:b", 0),
        ("a:b and any", 8),
        ("a:b and ä:b", 8),
    ] {
        assert_eq!(at(text), place, "{text}");
    }
    for empty in ["", "   "] {
        assert_eq!(empty.parse::<Requirement>(), Err(InvalidRequirement::Empty));
    }
}

#[test]
fn a_text_has_an_end() {
    let nested = |levels| format!("{}a:b{}", "(".repeat(levels), ")".repeat(levels));
    assert!(nested(16).parse::<Requirement>().is_ok());
    assert_eq!(
        nested(17).parse::<Requirement>(),
        Err(InvalidRequirement::TooDeep)
    );
    let negated = |times| format!("{}a:b", "not ".repeat(times));
    assert!(negated(16).parse::<Requirement>().is_ok());
    assert_eq!(
        negated(17).parse::<Requirement>(),
        Err(InvalidRequirement::TooDeep)
    );
    let terms = |count| vec!["a:b"; count].join(" or ");
    assert!(terms(64).parse::<Requirement>().is_ok());
    assert_eq!(
        terms(65).parse::<Requirement>(),
        Err(InvalidRequirement::TooManyTerms)
    );
    let long = |bytes: usize| format!("a:b{}", " ".repeat(bytes - 3));
    assert!(long(1024).parse::<Requirement>().is_ok());
    assert_eq!(
        long(1025).parse::<Requirement>(),
        Err(InvalidRequirement::TooLong)
    );
}

#[test]
fn environments_are_one_or_any() {
    let test = Environment::test();
    let told = |requirement: &Requirement| requirement.unmet(&test, &ScopeSet::everything());
    let scoped = requirement("a:b");
    assert_eq!(told(&scoped), None);
    let live = scoped.clone().environment(Environment::live());
    assert_eq!(told(&live), Some(KeyDenial::WrongEnvironment));
    assert_eq!(told(&live.clone().any_environment()), None);
    assert_eq!(
        told(&scoped.clone().and(live.clone())),
        Some(KeyDenial::WrongEnvironment)
    );
    #[cfg(feature = "http")]
    {
        let guarding = |requirement: Requirement| requirement.guarding(&Environment::live());
        assert_eq!(
            told(&guarding(scoped.clone())),
            Some(KeyDenial::WrongEnvironment)
        );
        assert_eq!(told(&guarding(scoped.clone().any_environment())), None);
        assert_eq!(told(&guarding(scoped.environment(test.clone()))), None);
    }
}

/// All 65,536 pairs of subsets of 8 scopes: granted if and only if what is wanted is a subset of what is held.
#[test]
fn granted_if_and_only_if_a_subset() {
    let scopes: Vec<Scope> = [
        "a:read", "a:write", "b:read", "b:write", "b:admin", "c:1", "d:2", "dd:2",
    ]
    .iter()
    .map(|text| text.parse().unwrap())
    .collect();
    let subset = |bits: usize| -> ScopeSet {
        let chosen = scopes.iter().enumerate();
        chosen
            .filter(|(place, _)| bits >> place & 1 == 1)
            .map(|(_, scope)| scope.clone())
            .collect()
    };
    let sets: Vec<ScopeSet> = (0..256).map(subset).collect();
    let required: Vec<Requirement> = sets
        .iter()
        .map(|set| Expression::all(set.iter().cloned().map(Expression::Scope)).into())
        .collect();
    let mut pairs = 0;
    for held in 0..256_usize {
        for wanted in 0..256_usize {
            let granted = wanted & !held == 0;
            assert_eq!(
                sets[held].missing(&sets[wanted]).is_none(),
                granted,
                "{held:08b} {wanted:08b}"
            );
            let each = sets[wanted].iter().all(|scope| sets[held].grants(scope));
            assert_eq!(each, granted, "{held:08b} {wanted:08b}");
            let denial = required[wanted].unmet(&Environment::live(), &sets[held]);
            assert_eq!(denial.is_none(), granted, "{held:08b} {wanted:08b}");
            pairs += 1;
        }
    }
    assert_eq!(pairs, 65_536);
}

const WORDS: [&str; 6] = ["a:b", "a:*", "c:d", "*", "e.f:g-h_1", "c:e"];

fn expressions() -> impl Strategy<Value = Expression> {
    let scope =
        prop::sample::select(&WORDS[..]).prop_map(|text| Expression::Scope(text.parse().unwrap()));
    // No deeper and no larger than a text may be.
    scope.prop_recursive(5, 40, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..3).prop_map(Expression::all),
            prop::collection::vec(inner.clone(), 1..3).prop_map(Expression::any_of),
            inner.prop_map(Expression::not),
        ]
    })
}

/// What it means, said in the plainest way there is.
fn meets(expression: &Expression, held: &ScopeSet) -> bool {
    match expression {
        Expression::Any => true,
        Expression::Scope(scope) => held.grants(scope),
        Expression::All(parts) => parts.iter().all(|part| meets(part, held)),
        Expression::AnyOf(parts) => parts.iter().any(|part| meets(part, held)),
        Expression::Not(part) => !meets(part, held),
    }
}

fn terms(expression: &Expression) -> usize {
    match expression {
        Expression::Any => 0,
        Expression::Scope(_) => 1,
        Expression::All(parts) | Expression::AnyOf(parts) => parts.iter().map(terms).sum(),
        Expression::Not(part) => terms(part),
    }
}

proptest! {
    #[test]
    fn a_requirement_comes_back_from_its_text(expression in expressions()) {
        prop_assume!(terms(&expression) <= Requirement::MAX_TERMS);
        let requirement = Requirement::from(expression);
        let text = requirement.to_string();
        prop_assume!(text.len() <= Requirement::MAX_BYTES);
        prop_assert_eq!(text.parse::<Requirement>(), Ok(requirement), "{}", text);
    }

    #[test]
    fn there_is_a_fault_if_and_only_if_it_is_not_met(
        expression in expressions(),
        held in prop::collection::vec(prop::sample::select(&WORDS[..]), 0..4),
    ) {
        let held: ScopeSet = held.iter().map(|text| text.parse().unwrap()).collect();
        let fault = expression.fault(&held);
        prop_assert_eq!(fault.is_none(), meets(&expression, &held));
        match fault {
            Some(Fault::Missing(scope)) => prop_assert!(!held.grants(scope)),
            Some(Fault::Held(scope)) => prop_assert!(held.grants(scope)),
            None => {}
        }
    }

    #[test]
    fn no_text_brings_it_down(text in "[ ()a-c:*ä]{0,40}|((a:b|and|or|not|any|\\(|\\)|\\*| ){0,20})") {
        if let Ok(requirement) = text.parse::<Requirement>() {
            let shown = requirement.to_string();
            prop_assert_eq!(shown.parse::<Requirement>(), Ok(requirement));
        }
    }
}
