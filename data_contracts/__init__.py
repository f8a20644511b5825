"""What data must be: contracts, their rules, and checking data against them."""
