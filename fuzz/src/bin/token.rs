#![cfg_attr(fuzzing, no_main)]
//! The target `token` for libFuzzer.

sakms_fuzz::fuzz!(token);
