//! The examples of the workspace's README, compiled.
#![doc = include_str!("../../../README.md")]
