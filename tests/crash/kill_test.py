"""SIGKILL at random instants, one test for each way in which readings can come from a broker."""

import os
import unittest

from kill_loop import SCENARIOS, KillLoop
from marker_loop import MarkerLoop

# The short form; scripts/crash-test goes on for longer.
KILLS = int(os.environ.get("WEIR_CRASH_KILLS", "8"))


class Kill(KillLoop):
    def test_qos_1(self):
        self.kill_loop(SCENARIOS["qos_1"], KILLS)

    def test_qos_1_with_a_sync_for_every_message(self):
        self.kill_loop(SCENARIOS["qos_1_always"], KILLS)

    def test_qos_1_over_mqtt_3(self):
        self.kill_loop(SCENARIOS["qos_1_mqtt_3"], KILLS)

    def test_qos_2_over_mqtt_5(self):
        self.kill_loop(SCENARIOS["qos_2_mqtt_5"], KILLS)

    def test_qos_2_over_mqtt_3(self):
        self.kill_loop(SCENARIOS["qos_2_mqtt_3"], KILLS)

    def test_many_readings_in_a_message(self):
        self.kill_loop(SCENARIOS["arrays"], KILLS)

    def test_readings_that_are_sent_twice(self):
        self.kill_loop(SCENARIOS["sent_twice"], KILLS)

    def test_lives_that_are_long_enough_for_many_checkpoints(self):
        self.kill_loop(SCENARIOS["long_lives"], KILLS)

    def test_a_sink_whose_broker_refuses_rows(self):
        self.kill_loop(SCENARIOS["refusing_sink"], KILLS)

    def test_keys_that_are_no_topics(self):
        self.kill_loop(SCENARIOS["poison_keys"], KILLS)

    def test_messages_that_are_too_large(self):
        self.kill_loop(SCENARIOS["too_large"], KILLS)

    def test_messages_that_are_too_large_over_mqtt_3(self):
        self.kill_loop(SCENARIOS["too_large_mqtt_3"], KILLS)

    def test_a_wall_clock_that_jumps(self):
        self.kill_loop(SCENARIOS["clock"], KILLS)


class Marker(MarkerLoop):
    def test_a_marker_right_behind_the_last_reading(self):
        self.marker_loop(KILLS)


if __name__ == "__main__":
    unittest.main()
