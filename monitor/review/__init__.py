"""After the call: report, evaluation, backtest."""
