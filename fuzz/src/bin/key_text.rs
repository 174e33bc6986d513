#![cfg_attr(fuzzing, no_main)]
//! The target `key_text` for libFuzzer.

sakms_fuzz::fuzz!(key_text);
