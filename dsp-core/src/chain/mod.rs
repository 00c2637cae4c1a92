//! The two signal paths of the product.
