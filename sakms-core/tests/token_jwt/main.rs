//! What a token issuer must stand: every claim in every shape, every forgery known from others' advisories, and
//! the change of keys.

#[cfg(test)]
mod attacks;
#[cfg(test)]
mod claims;
#[cfg(test)]
mod confusion;
#[cfg(test)]
mod forge;
#[cfg(test)]
mod grants;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod times;
