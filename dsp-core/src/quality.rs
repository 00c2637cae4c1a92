//! How much time and computation a chain may take: the one structural choice that its stages share.

use crate::choices;

choices! {
    /// What latency, and what care, a chain is allowed.
    pub enum Quality {
        /// For playing through: no latency.
        Track = ("track", "Track"),
        /// For mixing: moderate oversampling.
        Mix = ("mix", "Mix"),
        /// For mastering and bouncing: the most that helps.
        Master = ("master", "Master"),
    }
}
