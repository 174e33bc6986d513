#![cfg_attr(fuzzing, no_main)]
//! The target `email` for libFuzzer.

sakms_fuzz::fuzz!(email);
