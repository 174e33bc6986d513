//! SAKMS.
