"""churn.py for a bounded time: nobody is refused or reset, whatever happens to adoptd."""
import churn
import harness
import lab


class TestChurn(lab.Case):
    def test_nobody_is_lost(self):
        served, failed, _ = churn.run(self.lab, reloads=10, restarts=4, hand_overs=5, kills=2)
        self.assertEqual(failed, [])
        self.assertGreater(served, 100)


if __name__ == "__main__":
    harness.main()
