//! The two applications say the same of themselves, and each is held to it by its own tests.

/// Commands and answers, without the name of the package.
fn console(readme: &str) -> Vec<String> {
    let blocks = readme
        .split("```")
        .filter(|block| block.starts_with("console\n"));
    blocks
        .map(|block| {
            block
                .replace("sakms-example-axum", "…")
                .replace("sakms-example-actix", "…")
        })
        .collect()
}

#[test]
fn both_readmes_have_the_same_commands_and_answers() {
    let axum = console(include_str!("../../axum-app/README.md"));
    let actix = console(include_str!("../../actix-app/README.md"));
    assert!(axum.len() > 3);
    assert_eq!(axum, actix);
}
