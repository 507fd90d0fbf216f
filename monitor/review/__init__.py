"""Review after calls: report, evaluation against ground truth, backtest of rules."""
