//! How an epoch turns money spent and scores revealed into payouts.
