//! Conformance suites for people who write a store or an adapter.
