"""Environment steps per second of stable-baselines3 with its default hyperparameters.

measure.py FIGURE THREADS SECONDS prints one JSON line: {"figure", "threads", "value", "unit", "versions"}.
"""

import json
import sys
import time

import gymnasium
import numpy as np
import sb3_contrib
import stable_baselines3
import torch
from sb3_contrib import MaskablePPO
from stable_baselines3 import DQN, PPO, SAC
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env


class MaskedChoices(gymnasium.Env):
    """Two masked heads of 15 and 11 choices, 300 observed numbers, 200 steps an episode: cheap, so that learning counts."""

    observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (300,), np.float32)
    action_space = gymnasium.spaces.MultiDiscrete([15, 11])

    def __init__(self):
        generator = np.random.default_rng(0)
        self.rows = generator.standard_normal((64, 300)).astype(np.float32)
        self.masks = generator.random((64, 26)) < 0.7
        self.masks[:, 0] = self.masks[:, 15] = True
        self.steps = 0

    def reset(self, *, seed=None, options=None):
        self.steps = 0
        return self.rows[0], {}

    def step(self, action):
        self.steps += 1
        reward = float(action[0] == self.steps % 15) + float(action[1] == self.steps % 11)
        return self.rows[self.steps % 64], reward, False, self.steps >= 200, {}

    def action_masks(self):
        return self.masks[self.steps % 64]


class Clock(BaseCallback):
    """Stops when the time is over; the clock starts when the warm-up steps are done."""

    def __init__(self, warm_up_steps, seconds):
        super().__init__()
        self.warm_up_steps, self.seconds = warm_up_steps, seconds
        self.started = None

    def _on_step(self):
        if self.started is None and self.num_timesteps >= self.warm_up_steps:
            self.started = (time.perf_counter(), self.num_timesteps)
        return self.started is None or time.perf_counter() - self.started[0] < self.seconds

    def _on_training_end(self):
        self.rate = (self.num_timesteps - self.started[1]) / (time.perf_counter() - self.started[0])


class WholeRollouts(Clock):
    """For on-policy algorithms: begins and ends where an update phase has just ended."""

    def _on_step(self):
        return self.started is None or not self.over

    def _on_rollout_start(self):
        now = (time.perf_counter(), self.num_timesteps)
        if self.started is None and self.num_timesteps >= self.warm_up_steps:
            self.started, self.over = now, False
        elif self.started is not None and now[0] - self.started[0] >= self.seconds:
            self.over = True
            self.rate = (now[1] - self.started[1]) / (now[0] - self.started[0])

    def _on_training_end(self):
        pass


def on_policy(algorithm, environment, count):
    return algorithm("MlpPolicy", make_vec_env(environment, n_envs=count), device="cpu"), WholeRollouts, 2048 * count


FIGURES = {
    "ppo_cartpole_steps_per_second_1env": lambda: on_policy(PPO, "CartPole-v1", 1),
    "ppo_cartpole_steps_per_second_8env": lambda: on_policy(PPO, "CartPole-v1", 8),
    "masked_ppo_steps_per_second_1env": lambda: on_policy(MaskablePPO, MaskedChoices, 1),
    "masked_ppo_steps_per_second_8env": lambda: on_policy(MaskablePPO, MaskedChoices, 8),
    "dqn_cartpole_steps_per_second": lambda: (DQN("MlpPolicy", "CartPole-v1", device="cpu"), Clock, 2000),
    "sac_pendulum_steps_per_second": lambda: (SAC("MlpPolicy", "Pendulum-v1", device="cpu"), Clock, 300),
}


def main(figure, threads, seconds):
    torch.set_num_threads(int(threads))
    model, clock_type, warm_up = FIGURES[figure]()
    clock = clock_type(warm_up, float(seconds))
    model.learn(10**9, callback=clock)
    versions = {module.__name__: module.__version__ for module in (stable_baselines3, sb3_contrib, gymnasium, torch)}
    print(json.dumps({"figure": figure, "threads": int(threads), "value": round(clock.rate, 1), "unit": "steps/s", "versions": versions}))


if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[1] not in FIGURES:
        sys.exit("usage: measure.py FIGURE THREADS SECONDS; figures: " + ", ".join(FIGURES))
    main(*sys.argv[1:])
